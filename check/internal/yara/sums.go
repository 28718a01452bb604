package yara

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"math"
	"strconv"
)

// over makes a function over a string, or over a part of the file given by offset and
// size; first is the number of arguments before those. What it gives for a part of the
// file is kept until the file ends.
func over(name string, first int, do func(data []byte, args []value) value) func(*evaluator, []value) value {
	return func(e *evaluator, args []value) value {
		rest := args[first:]
		switch {
		case len(rest) == 0:
			rest = []value{intValue(0), intValue(e.s.size)}
		case rest[0].k == str:
			if !e.spend(int64(len(rest[0].s)) / 16) {
				return value{}
			}
			return do([]byte(rest[0].s), args)
		}
		off, n := rest[0].i, rest[1].i
		if off < 0 || n < 0 || off >= e.s.size {
			return value{}
		}
		n = min(n, e.s.size-off)
		key := sumKey{name, off, n}
		pure := len(args) == 2
		if v, ok := e.sums[key]; ok && pure {
			return v
		}
		data, ok := e.bytes(off, n)
		if !ok || !e.spend(n/16) {
			return value{}
		}
		v := do(data, args)
		if pure && len(e.sums) < 10_000 {
			if e.sums == nil {
				e.sums = map[sumKey]value{}
			}
			e.sums[key] = v
		}
		return v
	}
}

var hashFields = map[string]*typ{
	"md5": fn(aString, over("md5", 0, func(b []byte, _ []value) value {
		s := md5.Sum(b)
		return strValue(hex.EncodeToString(s[:]))
	}), "ii", "s"),
	"sha1": fn(aString, over("sha1", 0, func(b []byte, _ []value) value {
		s := sha1.Sum(b)
		return strValue(hex.EncodeToString(s[:]))
	}), "ii", "s"),
	"sha256": fn(aString, over("sha256", 0, func(b []byte, _ []value) value {
		s := sha256.Sum256(b)
		return strValue(hex.EncodeToString(s[:]))
	}), "ii", "s"),
	"crc32": fn(anInteger, over("crc32", 0, func(b []byte, _ []value) value {
		return intValue(int64(crc32.ChecksumIEEE(b)))
	}), "ii", "s"),
	"checksum32": fn(anInteger, over("checksum32", 0, func(b []byte, _ []value) value {
		var sum uint32
		for _, c := range b {
			sum += uint32(c)
		}
		return intValue(int64(sum))
	}), "ii", "s"),
}

var mathFields = map[string]*typ{
	"entropy":            fn(aFloat, over("entropy", 0, entropy), "ii", "s"),
	"mean":               fn(aFloat, over("mean", 0, func(b []byte, _ []value) value { return mean(b) }), "ii", "s"),
	"deviation":          fn(aFloat, deviation, "iif", "sf"),
	"serial_correlation": fn(aFloat, over("serial_correlation", 0, serialCorrelation), "ii", "s"),
	"monte_carlo_pi":     fn(aFloat, over("monte_carlo_pi", 0, monteCarloPi), "ii", "s"),
	"mode":               fn(anInteger, over("mode", 0, mode), "ii", ""),
	"count": fn(anInteger, over("count", 1, func(b []byte, a []value) value {
		return countByte(b, a[0].i, func(n, _ int64) value { return intValue(n) })
	}), "iii", "i"),
	"percentage": fn(aFloat, over("percentage", 1, func(b []byte, a []value) value {
		return countByte(b, a[0].i, func(n, of int64) value { return floatValue(float64(float32(n) / float32(of))) })
	}), "iii", "i"),
	"in_range": fn(anInteger, func(_ *evaluator, a []value) value {
		return intValue(boolValue(a[0].f >= a[1].f && a[0].f <= a[2].f).i)
	}, "fff"),
	"max":       fn(anInteger, func(_ *evaluator, a []value) value { return intValue(int64(max(uint64(a[0].i), uint64(a[1].i)))) }, "ii"),
	"min":       fn(anInteger, func(_ *evaluator, a []value) value { return intValue(int64(min(uint64(a[0].i), uint64(a[1].i)))) }, "ii"),
	"abs":       fn(anInteger, func(_ *evaluator, a []value) value { return intValue(max(a[0].i, -a[0].i)) }, "i"),
	"to_number": fn(anInteger, func(_ *evaluator, a []value) value { return intValue(a[0].i) }, "b"),
	"to_string": fn(aString, toString, "i", "ii"),
}

func toString(_ *evaluator, a []value) value {
	base := 10
	if len(a) > 1 {
		base = int(a[1].i)
	}
	if base != 8 && base != 10 && base != 16 {
		return value{}
	}
	return strValue(strconv.FormatInt(a[0].i, base))
}

func histogram(b []byte) (counts [256]int64) {
	for _, c := range b {
		counts[c]++
	}
	return counts
}

func entropy(b []byte, _ []value) value {
	sum := 0.0
	for _, n := range histogram(b) {
		if n > 0 {
			x := float64(n) / float64(len(b))
			sum -= x * math.Log2(x)
		}
	}
	return floatValue(sum)
}

func mean(b []byte) value {
	var sum float64
	for c, n := range histogram(b) {
		sum += float64(c) * float64(n)
	}
	return floatValue(sum / float64(len(b)))
}

// deviation is the mean distance of the bytes from a mean.
func deviation(e *evaluator, args []value) value {
	m := args[len(args)-1].f
	return over("deviation", 0, func(b []byte, _ []value) value {
		sum := 0.0
		for c, n := range histogram(b) {
			sum += math.Abs(float64(c)-m) * float64(n)
		}
		return floatValue(sum / float64(len(b)))
	})(e, args)
}

func serialCorrelation(b []byte, _ []value) value {
	var products, sum, squares, last float64
	for _, c := range b {
		x := float64(c)
		products += last * x
		sum += x
		squares += x * x
		last = x
	}
	products += last * last
	n := float64(len(b))
	d := n*squares - sum*sum
	if d == 0 {
		return floatValue(-100000)
	}
	return floatValue((n*products - sum*sum) / d)
}

// monteCarloPi takes points from the bytes and gives how far the share of them that lies
// in the quarter circle is from what pi says.
func monteCarloPi(b []byte, _ []value) value {
	const radius = 1<<24 - 1
	inside, points := 0, 0
	for ; len(b) >= 6; b = b[6:] {
		x := float64(int(b[0])<<16 | int(b[1])<<8 | int(b[2]))
		y := float64(int(b[3])<<16 | int(b[4])<<8 | int(b[5]))
		points++
		if x*x+y*y <= radius*radius {
			inside++
		}
	}
	if points == 0 {
		return value{}
	}
	pi := 4 * float64(inside) / float64(points)
	return floatValue(math.Abs((pi - math.Pi) / math.Pi))
}

func mode(b []byte, _ []value) value {
	best, counts := 0, histogram(b)
	for c, n := range counts {
		if n > counts[best] {
			best = c
		}
	}
	return intValue(int64(best))
}

func countByte(b []byte, c int64, of func(n, total int64) value) value {
	if c < 0 || c > 255 || len(b) == 0 {
		return value{}
	}
	counts := histogram(b)
	return of(counts[c], int64(len(b)))
}

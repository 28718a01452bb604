// Package near finds which name somebody meant who mistook a letter or two.
package near

import "iter"

// Is tells whether two names are one of which somebody mistook a letter or two.
func Is(a, b string) bool {
	d := Distance(a, b, 3)
	return d < 3 && d*3 <= len(b)
}

// Nearest is the name that is likely meant by one that does not exist: of those that differ in one or two letters,
// the nearest; "" without any.
func Nearest(name string, names iter.Seq[string]) string {
	best, least := "", 3
	for n := range names {
		if d := Distance(name, n, least); d < least && d*3 <= len(n) {
			best, least = n, d
		}
	}
	return best
}

// Distance counts the letters to change between two names, up to a limit; two letters in
// the wrong order count as one.
func Distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	var rows [3][66]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		now, up, upup := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(up[j]+1, now[j-1]+1, up[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], upup[j-2]+1)
			}
		}
	}
	return min(rows[len(a)%3][len(b)], limit)
}

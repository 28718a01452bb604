package dockerfile

import (
	"strconv"
	"strings"

	df "bulwark/build/dockerfile"
)

// exposed judges the ports of EXPOSE.
func (j *judge) exposed(i *df.Instruction) {
	for _, a := range i.Args {
		a = i.Expand(a)
		if a == "" || strings.Contains(a, "$") {
			continue
		}
		ports, protocol, _ := strings.Cut(a, "/")
		low, high, ranged := strings.Cut(ports, "-")
		if !ranged {
			high = low
		}
		from, ok := port(low)
		to, ok2 := port(high)
		if !ok || !ok2 || from > to || protocol != "" && !strings.EqualFold(protocol, "tcp") && !strings.EqualFold(protocol, "udp") && !strings.EqualFold(protocol, "sctp") {
			j.found(invalidPort, i, i.First, a)
			continue
		}
		for _, p := range []int{22, 23, 2222, 3389, 5900} {
			if from <= p && p <= to && to-from < 1000 && p != 2222 {
				j.found(sshPort, i, i.First, strconv.Itoa(p))
			}
		}
		for _, p := range []int{1433, 1521, 3306, 5432, 5984, 6379, 9042, 9200, 11211, 27017} {
			if from <= p && p <= to && to-from < 1000 {
				j.found(databasePort, i, i.First, strconv.Itoa(p))
			}
		}
	}
}

func port(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= 65535
}

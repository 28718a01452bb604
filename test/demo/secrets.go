package main

import (
	"hash/crc32"
	"math/rand/v2"
	"strings"
)

// What looks like a secret is made here, so that none lies in the repository. It is the same
// each time, as is the image.
var source = rand.New(rand.NewPCG(3, 14))

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// characters are n letters and digits.
func characters(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(base62[source.IntN(len(base62))])
	}
	return b.String()
}

// token has the form of a token of GitHub, and ends in the checksum that theirs end in.
func token() string {
	body := characters(30)
	sum := make([]byte, 6)
	for i, n := 5, crc32.ChecksumIEEE([]byte(body)); i >= 0; i, n = i-1, n/62 {
		sum[i] = base62[n%62]
	}
	return "gh" + "p_" + body + string(sum)
}

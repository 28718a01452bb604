package miner

import (
	"bytes"
	"strings"

	"bulwark/detect/internal/who"
)

// pools are domains that belong to pools of miners alone.
var pools = strings.Fields(`minexmr.com supportxmr.com nanopool.org c3pool.com c3pool.org 2miners.com f2pool.com hashvault.pro moneroocean.stream
xmrpool.eu xmrpool.net xmr.pt minergate.com nicehash.com ethermine.org ethpool.org flexpool.io hiveon.com hiveon.net herominers.com unmineable.com
monerohash.com monero.hashvault.pro xmrig.com p2pool.io p2pool.observer dwarfpool.com prohashing.com miningpoolhub.com zpool.ca zergpool.com
viabtc.com antpool.com poolin.com slushpool.com braiins.com luxor.tech kryptex.network rplant.xyz skypool.org skypool.xyz cryptonight.net crypto-pool.fr
sparkpool.com woolypooly.com gntl.uk bohemianpool.com monerop.com moneropool.com pool.minexmr.to xmr.nanopool.org hashcity.org
solopool.org ravenminer.com beepool.com cruxpool.com mining-dutch.nl aikapool.com suprnova.cc fairpool.xyz usxmrpool.com coin-hive.com coinhive.com
crypto-loot.com webmine.pro auto.c3pool.org gulf.moneroocean.stream donate.v2.xmrig.com`)

// options are those that only miners have.
var options = []string{
	"--donate-level", "--nicehash", "--randomx-1gb-pages", "--randomx-mode", "--randomx-no-rdmsr", "--randomx-wrmsr", "--randomx-init", "--cpu-max-threads-hint", "--cpu-priority",
	"--rig-id", "--cuda-loader", "--opencl-platform", "--argon2-impl", "--donate-over-proxy", "--self-select", "--farm-recheck", "--cuda-bfactor", "--ethash-dag", "--max-cpu-usage", "--keepalive-pool", "--pool-user",
}

// miners are programs by the names that their makers or those who spread them gave.
var miners = who.Names("xmrig xmrigdaemon xmrigminer xmrig-notls xmrig-cuda xmr-stak xmr-stak-cpu minerd cpuminer cpuminer-multi cpuminer-avx ccminer ethminer t-rex nbminer phoenixminer lolminer gminer teamredminer claymore bfgminer cgminer kinsing kdevtmpfsi kthreaddi watchbog sysrv trace-xmrig nanominer srbminer srbminer-multi p2pool randomx-benchmark wildrig-multi xmrigcc dero-miner spectre-miner")

var lookers = who.Names("pgrep pkill ps killall pidof man which whereis dpkg rpm apk apt apt-get yum echo printf sleep systemctl nslookup dig host ping iptables nft")

// resolvers ask for others.
var resolvers = who.Names("coredns unbound named dnsmasq systemd-resolved kube-dns pdns_recursor node-local-dns dnsmasq-nanny node-cache dockerd netavark aardvark-dns knot-resolver kresd AdGuardHome pihole-FTL")

func algorithm(name string) bool {
	name = strings.ToLower(name)
	for _, a := range []string{"rx/", "cn/", "cn-", "randomx", "cryptonight", "kawpow", "ethash", "etchash", "argon2/chukwa", "ghostrider", "astrobwt", "gr", "monero", "xmr", "yescrypt", "scrypt:", "equihash", "verthash", "autolykos", "panthera", "verushash"} {
		if name == a || strings.HasPrefix(name, a) && a != "gr" {
			return true
		}
	}
	return false
}

// wallet is the coin that a word is a wallet of: by form alone, hence a weak sign.
func wallet(word string) string {
	word, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "--user="), "--wallet="), ".")
	switch n := len(word); {
	case (n == 95 || n == 106) && (word[0] == '4' || word[0] == '8') && all(word, base58):
		return "Monero"
	case n == 42 && strings.HasPrefix(word, "0x") && all(word[2:], hexDigits):
		return "Ethereum"
	case n == 42 && strings.HasPrefix(word, "bc1q") && all(word[4:], bech32):
		return "Bitcoin"
	case n == 34 && strings.HasPrefix(word, "R") && all(word, base58):
		return "Ravencoin or Verus"
	}
	return ""
}

const (
	base58    = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	hexDigits = "0123456789abcdefABCDEF"
	bech32    = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

func all(word, letters string) bool { return strings.Trim(word, letters) == "" }

// stratum is the method that the first bytes of a connection ask a pool for, or answer with; "": it is something
// else.
func stratum(data []byte) string {
	if len(data) < 20 || !bytes.Contains(data, []byte(`"method"`)) && !bytes.Contains(data, []byte(`"jsonrpc"`)) {
		return ""
	}
	data = bytes.TrimLeft(data, " \r\n\t")
	if len(data) == 0 || data[0] != '{' && data[0] != '[' {
		return "" // HTTP carries other services' JSON-RPC
	}
	flat := squeezed(data[:min(len(data), 512)])
	for _, m := range []string{"mining.subscribe", "mining.authorize", "mining.submit", "mining.notify", "mining.set_difficulty", "mining.extranonce.subscribe", "mining.configure", "mining.suggest_difficulty", "eth_submitLogin", "eth_getWork", "eth_submitWork", "eth_submitHashrate"} {
		if bytes.Contains(flat, []byte(`"method":"`+m+`"`)) {
			return m
		}
	}
	has := func(s string) bool { return bytes.Contains(flat, []byte(s)) }
	switch {
	case has(`"method":"login"`) && (has(`"login":"`) && (has(`"pass":`) || has(`"agent":`) || has(`"algo":`) || has(`"rigid":`))):
		return "login"
	case has(`"method":"submit"`) && has(`"job_id":`) && has(`"nonce":`):
		return "submit"
	case has(`"method":"job"`) && has(`"blob":`) && has(`"target":`), has(`"job":{`) && has(`"blob":`) && has(`"target":`):
		return "job"
	case has(`"method":"keepalived"`) && has(`"id":`):
		return "keepalived"
	}
	return ""
}

// squeezed is a text without white space.
func squeezed(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			out = append(out, c)
		}
	}
	return out
}

package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

// copied judges COPY and ADD of the whole context and of files that hold secrets.
func (j *judge) copied(i *df.Instruction) {
	if _, ok := i.Flag("from"); ok || len(i.Args) < 2 || i.Stage == nil {
		return
	}
	for _, src := range i.Args[:len(i.Args)-1] {
		src = i.Expand(src)
		if (src == "." || src == "./" || src == "/" || src == "./*" || src == "*") && !j.ignored && len(i.Heredocs) == 0 {
			r := j.found(copyAll, i, i.First, "the build context")
			if !j.shipped[i.Stage] {
				r.hygiene()
			}
		}
		if isSecretFile(src) {
			j.found(keyCopied, i, i.First, src)
		}
	}
}

// isSecretFile tells whether a file of that name holds secrets.
func isSecretFile(p string) bool {
	base := strings.ToLower(p[strings.LastIndexByte(p, '/')+1:])
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".pypirc", ".npmrc", ".env", ".git-credentials", "credentials.json", ".htpasswd", "kubeconfig", ".dockercfg", ".aws", ".ssh", "service-account.json", "terraform.tfstate", ".pgpass", ".my.cnf":
		return true
	}
	return strings.HasSuffix(base, ".pem") && strings.Contains(base, "key") || strings.HasSuffix(base, ".p12") || strings.HasSuffix(base, ".pfx") || strings.HasSuffix(base, ".jks") && strings.Contains(base, "keystore")
}

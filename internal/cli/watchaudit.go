package cli

import (
	"os"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/source/audit"
	"bulwark/watch"
)

// auditing says where the audit log of an API server comes from.
type auditing struct {
	file, listen, cert, key, clients, cluster string
}

func (a *auditing) flags(f *pflag.FlagSet) {
	f.StringVar(&a.file, "audit-log", "", "also follow the audit log `FILE` of a Kubernetes API server")
	f.StringVar(&a.cluster, "audit-cluster", "", "what the cluster is called whose audit log it is: the `NAME` that bulwark scan cluster has for it")
	f.StringVar(&a.listen, "audit-webhook", "", "also take the audit log that a Kubernetes API server sends to `HOST:PORT`; its bearer token is in BULWARK_AUDIT_TOKEN, where there is one")
	f.StringVar(&a.cert, "audit-cert", "", "`FILE` with the certificate for --audit-webhook (PEM)")
	f.StringVar(&a.key, "audit-key", "", "`FILE` with its key")
	f.StringVar(&a.clients, "audit-client-ca", "", "`FILE` of certificates (PEM) that those who send to --audit-webhook must have one of")
}

func (a *auditing) sensors(e *watch.Watcher) (list []bulwark.Sensor) {
	if a.file != "" {
		list = append(list, &audit.File{Path: a.file, Note: e.Note})
	}
	if a.listen != "" {
		list = append(list, &audit.Webhook{Listen: a.listen, Cert: a.cert, Key: a.key, ClientCA: a.clients, Token: os.Getenv("BULWARK_AUDIT_TOKEN"), Note: e.Note})
	}
	return list
}

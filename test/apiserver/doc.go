// Package apiserver holds what Bulwark says against what a real kube-apiserver does. The
// server is built by scripts/apiserver.sh out of the module in the folder server.
package apiserver

// Command server is Kubernetes' own kube-apiserver, for tests that hold what Bulwark says
// against what a cluster does. It is a module of its own: nothing of it reaches the program.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }

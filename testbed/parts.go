// The parts as subcommands.

package main

import (
	"fmt"
	"os"

	_ "time/tzdata" // CronJobs name time zones, and a bare machine has none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the kubeconfig of a person may name such a plugin
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // version metric
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	_ "sigs.k8s.io/gateway-api/pkg/consts" // keeps the module whose CRDs the build copies
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"
)

// The parts of the control plane as their own projects start them, each with
// the flags that follow its name. None of these functions is called twice in
// one process.

func etcdPart(args []string) int {
	etcdmain.Main(append([]string{"etcd"}, args...))
	return 0
}

func apiServerPart(args []string) int {
	return runCobra(apiserver.NewAPIServerCommand(), "kube-apiserver", args)
}

func controllerManagerPart(args []string) int {
	return runCobra(controllermanager.NewControllerManagerCommand(), "kube-controller-manager", args)
}

func schedulerPart(args []string) int {
	return runCobra(scheduler.NewSchedulerCommand(), "kube-scheduler", args)
}

// runCobra makes the arguments those of a process of the part's own name:
// the parts read os.Args, not only what cobra is given.
func runCobra(command *cobra.Command, name string, args []string) int {
	os.Args = append([]string{name}, args...)
	command.SetArgs(args)
	return cli.Run(command)
}

func kubectlPart(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints and ends the process with kubectl's exit code
	}
	return 0
}

func kwokPart(args []string) int {
	os.Args = append([]string{"kwok"}, args...)
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := kwoklog.InitFlags(kwoksignals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kwok: reading its configuration:", err)
		return 1
	}
	command := kwok.NewCommand(ctx)
	// The API server's packages in this binary register a --version flag of their own.
	command.Version = ""
	command.PersistentFlags().AddFlagSet(flags)
	if err := command.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		return 1
	}
	return 0
}

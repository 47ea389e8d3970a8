// `guard`: a program that cannot outlive its owner.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// guard runs one command for as long as its own standard input stays open:
// the pipe's other end lies with the owner, so that every end of the owner,
// also kill -9, is the end of the command and of all that it started.
func guard(args []string) int {
	// The command dies with the thread that started it.
	runtime.LockOSThread()
	flags := flag.NewFlagSet("guard", flag.ContinueOnError)
	account := flags.String("user", "", "run the command as this user (only root may)")
	gently := flags.Bool("interrupt", false, "ask with SIGINT, not SIGTERM")
	remove := flags.String("remove", "", "folder to remove at the end")
	grace := flags.Duration("grace", patience, "how long the command may take to end")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if flags.NArg() == 0 {
		return complain("guard", errors.New("say what: guard [--user U] [--interrupt] [--grace D] [--remove DIR] -- COMMAND [ARGUMENT]…"))
	}
	ask := syscall.SIGTERM
	if *gently {
		ask = syscall.SIGINT
	}
	code := guarded(flags.Args(), *account, ask, *grace)
	if *remove != "" {
		_ = os.RemoveAll(*remove)
	}
	return code
}

func guarded(args []string, account string, ask syscall.Signal, grace time.Duration) int {
	mark := fmt.Sprintf("guard-%d-%d", os.Getpid(), time.Now().UnixNano())
	child := exec.Command(args[0], args[1:]...)
	child.Env = withMark(mark)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if account != "" {
		credential, err := credentialOf(account)
		if err != nil {
			return complain("guard", err)
		}
		child.SysProcAttr.Credential = credential
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := child.Start(); err != nil {
		_ = complain("guard", err)
		return 127
	}
	done := make(chan struct{})
	go func() {
		_ = child.Wait()
		close(done)
	}()
	ownerEnded := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ownerEnded)
	}()
	select {
	case <-done:
	case <-ownerEnded:
	case <-signals:
	}
	_ = child.Process.Signal(ask)
	select {
	case <-done:
	case <-time.After(grace):
		_ = child.Process.Kill()
		<-done
	}
	sweep(mark)
	return exitCode(child.ProcessState)
}

func credentialOf(account string) (*syscall.Credential, error) {
	found, err := user.Lookup(account)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

package child_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ordergraph/test/child"
)

const role = "ORDERGRAPH_TEST_CHILD_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "parent" {
		cmd := exec.Command("sleep", "300")
		if _, err := child.Start(cmd); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(cmd.Process.Pid)
		select {}
	}
	os.Exit(m.Run())
}

func TestChildEndsWithKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can promise it for any program")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), role+"=parent")
	said, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(said).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line, err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for until := time.Now().Add(time.Minute); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the child is still there")
		}
	}
}

// alive is false for a zombie that nobody has waited for yet, too.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestStop(t *testing.T) {
	for _, end := range []func(p *child.Process){(*child.Process).Kill, func(p *child.Process) { p.Stop(time.Minute) }} {
		p, err := child.Start(exec.Command("sleep", "300"))
		if err != nil {
			t.Fatal(err)
		}
		end(p)
		if p.Err() == nil {
			t.Error("it ended of itself")
		}
	}
	if _, err := child.Start(exec.Command("/there/is/no/such/program")); err == nil {
		t.Error("a program that does not exist was started")
	}
}

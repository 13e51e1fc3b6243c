package clocktest_test

import (
	"testing"
	"time"

	"ordergraph/platform/clocktest"
)

func TestTimePassesWhenLet(t *testing.T) {
	still := clocktest.Still()
	began := still.Now()
	still.Pass(time.Hour)
	if got := still.Now(); !got.Equal(began.Add(time.Hour)) {
		t.Errorf("an hour after %v it shows %v", began, got)
	}
	var real clocktest.Clock
	real.Pass(time.Hour)
	if ahead := time.Until(real.Now()); ahead > time.Hour || ahead < 59*time.Minute {
		t.Errorf("it is ahead by %v", ahead)
	}
}

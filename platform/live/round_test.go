package live

import "testing"

// TestRoundSurvivesLeaving takes each thing out of rounds of every length and
// progress: the others keep their places, and nobody is skipped in the round.
func TestRoundSurvivesLeaving(t *testing.T) {
	for n := 1; n <= 6; n++ {
		for cursor := 0; cursor <= n; cursor++ {
			for gone := range n {
				round := &topic{cursor: cursor}
				asked := map[*thing]bool{}
				for i := range n {
					th := &thing{place: i}
					round.things = append(round.things, th)
					asked[th] = i < cursor
				}
				leaver := round.things[gone]
				round.forget(leaver)
				if len(round.things) != n-1 || leaver.place != -1 || round.cursor > len(round.things) {
					t.Errorf("of %d, %d asked, %d left: %d remain, %d asked", n, cursor, gone, len(round.things), round.cursor)
				}
				for i, th := range round.things {
					if th == leaver || th.place != i {
						t.Errorf("of %d, %d asked, %d left: the one at %d believes to be at %d", n, cursor, gone, i, th.place)
					}
					if !asked[th] && i < round.cursor {
						t.Errorf("of %d, %d asked, %d left: the one at %d is skipped", n, cursor, gone, i)
					}
				}
			}
		}
	}
}

package demo

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// PicturePath is where the shop serves the demo's pictures.
const PicturePath = "/demo/pictures/"

// Pictures serves the demo's pictures under PicturePath. A picture is drawn
// from its name, "shape.colour.line.svg", and never changes.
func Pictures() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		svg, ok := Picture(strings.TrimPrefix(r.URL.Path, PicturePath))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write([]byte(svg))
	})
}

// Picture draws one picture as SVG, 1200 by 1200.
func Picture(name string) (string, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 4 || parts[3] != "svg" {
		return "", false
	}
	draw, ok := shapes[parts[0]]
	i := slices.IndexFunc(palette, func(c colour) bool { return slug(c.name) == parts[1] })
	if !ok || i < 0 || len(parts[2]) > 40 || slug(parts[2]) != parts[2] {
		return "", false
	}
	c := palette[i]
	dice := rand.New(rand.NewPCG(seed(parts[2]), 11))
	ground := grounds[dice.IntN(len(grounds))]

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" width="1200" height="1200" role="img">`+
		`<rect width="600" height="600" fill="%s"/><rect y="430" width="600" height="170" fill="#000" opacity=".05"/>`+
		`<ellipse cx="300" cy="470" rx="190" ry="24" fill="#000" opacity=".12"/>`, ground)
	b.WriteString(strings.NewReplacer("FILL", c.fill, "SHADE", c.shade).Replace(draw))
	b.WriteString(pattern(parts[2], dice))
	b.WriteString(`</svg>`)
	return b.String(), true
}

var grounds = []string{"#f4f1ea", "#eef2f3", "#f1efe9", "#edf0ea", "#f5efee", "#eceff4"}

// pattern is a line's mark: a few strokes in the corner.
func pattern(line string, dice *rand.Rand) string {
	var b strings.Builder
	for i := range 5 {
		h := 6 + dice.IntN(26)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="6" height="%d" rx="3" fill="#000" opacity=".22"/>`, 44+i*12, 76-h, h)
	}
	fmt.Fprintf(&b, `<text x="44" y="104" font-family="Georgia,serif" font-size="20" fill="#000" opacity=".5">%s</text>`, line)
	return b.String()
}

// shapes are drawn in the colour's fill and shade on a 600 by 600 ground.
var shapes = map[string]string{
	"mug":      `<path d="M205 220h180v190a50 50 0 0 1-50 50h-80a50 50 0 0 1-50-50z" fill="FILL"/><path d="M385 260h28a52 52 0 0 1 0 120h-28" fill="none" stroke="SHADE" stroke-width="22"/><ellipse cx="295" cy="220" rx="90" ry="18" fill="SHADE"/>`,
	"teapot":   `<path d="M190 320a115 105 0 0 1 230 0c0 90-40 140-115 140s-115-50-115-140z" fill="FILL"/><path d="M195 330c-60-10-70-70-100-90" fill="none" stroke="FILL" stroke-width="26" stroke-linecap="round"/><path d="M412 270c80-20 80 130-12 120" fill="none" stroke="SHADE" stroke-width="20"/><ellipse cx="305" cy="228" rx="70" ry="16" fill="SHADE"/><circle cx="305" cy="200" r="14" fill="SHADE"/>`,
	"board":    `<rect x="170" y="180" width="260" height="270" rx="26" fill="#b98a5a"/><path d="M190 240h220M190 300h220M190 360h220M190 420h220" stroke="#9a6f43" stroke-width="4"/><circle cx="300" cy="208" r="12" fill="#f4f1ea"/>`,
	"lamp":     `<path d="M220 150h160l50 150H170z" fill="FILL"/><rect x="292" y="300" width="16" height="130" fill="SHADE"/><path d="M230 462a70 30 0 0 1 140 0z" fill="SHADE"/><path d="M170 300h260l30 90H140z" fill="#ffd" opacity=".5"/>`,
	"cushion":  `<path d="M160 200q140 40 280 0q-36 125 0 250q-140-36-280 0q36-125 0-250z" fill="FILL"/><path d="M210 240l180 170M390 240L210 410" stroke="SHADE" stroke-width="3" opacity=".6"/>`,
	"blanket":  `<path d="M160 220h280v200H160z" fill="FILL"/><path d="M160 260h280M160 290h280M160 350h280" stroke="SHADE" stroke-width="10"/><path d="M170 420v40M200 420v40M230 420v40M260 420v40M290 420v40M320 420v40M350 420v40M380 420v40M410 420v40M432 420v40" stroke="FILL" stroke-width="6"/>`,
	"chair":    `<path d="M220 150h18v190h-18zM362 150h18v190h-18z" fill="SHADE"/><rect x="228" y="170" width="144" height="60" rx="12" fill="FILL"/><rect x="200" y="320" width="200" height="26" rx="10" fill="FILL"/><path d="M212 346l-14 120M388 346l14 120M250 346l-4 100M350 346l4 100" stroke="SHADE" stroke-width="14"/>`,
	"pot":      `<path d="M205 300h190l-26 160H231z" fill="FILL"/><rect x="192" y="276" width="216" height="34" rx="8" fill="SHADE"/><path d="M300 280c-10-70-70-90-110-90 10 60 60 90 110 90zm0 0c10-90 70-120 120-120-10 70-60 120-120 120zm0 0c-6-60 0-110 0-150" fill="#5c7a4a" stroke="#45603a" stroke-width="4"/>`,
	"can":      `<path d="M210 290h150v150a24 24 0 0 1-24 24H234a24 24 0 0 1-24-24z" fill="FILL"/><path d="M360 400l110-170" stroke="FILL" stroke-width="22"/><path d="M452 212l40 26" stroke="SHADE" stroke-width="20"/><path d="M215 330c-70-20-70-130 30-130 50 0 70 40 76 90" fill="none" stroke="SHADE" stroke-width="18"/>`,
	"book":     `<rect x="200" y="170" width="200" height="290" rx="10" fill="FILL"/><rect x="200" y="170" width="30" height="290" rx="8" fill="SHADE"/><rect x="380" y="170" width="8" height="290" fill="SHADE"/><path d="M300 460v36l10-12 10 12v-36z" fill="SHADE"/>`,
	"tray":     `<path d="M150 330h300l30 90H120z" fill="#b98a5a"/><path d="M120 420h360v34H120z" fill="#9a6f43"/><path d="M190 300h220l20 90H170z" fill="#fff"/><path d="M215 320h170M210 340h180M205 360h190" stroke="FILL" stroke-width="6"/>`,
	"poster":   `<rect x="190" y="130" width="220" height="320" fill="#fff" stroke="#ccc" stroke-width="2"/><circle cx="300" cy="240" r="62" fill="FILL"/><path d="M190 360q60-50 110 0t110-10v100H190z" fill="SHADE"/>`,
	"shirt":    `<path d="M230 170l-90 50 34 70 40-18v190h172V272l40 18 34-70-90-50q-70 46-140 0z" fill="FILL"/><path d="M230 170q70 46 140 0" fill="none" stroke="SHADE" stroke-width="10"/>`,
	"jumper":   `<path d="M232 170l-84 40-30 200 56 8 30-120v164h192V298l30 120 56-8-30-200-84-40q-68 34-136 0z" fill="FILL"/><path d="M204 444h192v18H204zM118 398l56 10-2 16-56-8zM482 398l-56 10 2 16 56-8z" fill="SHADE"/><path d="M232 170q68 34 136 0" fill="none" stroke="SHADE" stroke-width="14"/>`,
	"shoe":     `<path d="M130 400c10-60 20-90 60-110l70 20 70 60 110 20c30 6 36 30 36 50H130z" fill="FILL"/><path d="M126 430h352v20a14 14 0 0 1-14 14H140a14 14 0 0 1-14-14z" fill="#f7f5f0" stroke="SHADE" stroke-width="4"/><path d="M250 330l30-26M276 350l30-26M302 370l30-26" stroke="#fff" stroke-width="8"/>`,
	"bag":      `<path d="M180 270h240l20 190H160z" fill="FILL"/><path d="M240 270c0-120 120-120 120 0" fill="none" stroke="SHADE" stroke-width="18"/><path d="M172 340h256" stroke="SHADE" stroke-width="4" stroke-dasharray="10 8"/>`,
	"rucksack": `<path d="M200 240a100 100 0 0 1 200 0v180a40 40 0 0 1-40 40H240a40 40 0 0 1-40-40z" fill="FILL"/><path d="M270 150c0-40 60-40 60 0" fill="none" stroke="SHADE" stroke-width="14"/><rect x="228" y="330" width="144" height="100" rx="16" fill="SHADE"/><path d="M228 360h144" stroke="FILL" stroke-width="6"/>`,
	"bottle":   `<path d="M260 210h80v30c34 20 36 50 36 80v110a34 34 0 0 1-34 34h-84a34 34 0 0 1-34-34V320c0-30 2-60 36-80z" fill="FILL"/><rect x="262" y="150" width="76" height="52" rx="10" fill="SHADE"/><path d="M246 300v130" stroke="#fff" stroke-width="8" opacity=".35"/>`,
	"candle":   `<rect x="220" y="290" width="160" height="172" rx="14" fill="FILL" opacity=".9"/><rect x="220" y="290" width="160" height="40" rx="14" fill="#fff" opacity=".5"/><path d="M300 290v-30" stroke="#333" stroke-width="5"/><path d="M300 190c26 36 26 60 0 74-26-14-26-38 0-74z" fill="#f3b13c"/><rect x="250" y="370" width="100" height="50" fill="#fff" opacity=".8"/>`,
	"speaker":  `<rect x="210" y="170" width="180" height="290" rx="30" fill="FILL"/><circle cx="300" cy="370" r="62" fill="SHADE"/><circle cx="300" cy="370" r="24" fill="FILL"/><circle cx="300" cy="240" r="30" fill="SHADE"/>`,
}

package demo

// A kind is a thing that every line makes.
type kind struct {
	noun, code, category, room, shape string
	story                             string
	facts                             [2]string
	tags                              []string
	price                             int64 // cents
	grams                             int64
	colours                           bool
	sizeName                          string
	sizes                             []size
}

type size struct {
	name string
	more int64 // per cent of price and weight
}

// A line is a family of things that look alike, made by one maker.
type line struct {
	name, code, maker, mood string
	story, care             string
	worth                   int64 // per cent of the kind's price
}

type colour struct{ name, code, fill, shade string }

var (
	clothes = []size{{"XS", 0}, {"S", 0}, {"M", 0}, {"L", 0}, {"XL", 5}}
	vessels = []size{{"Small", 0}, {"Large", 45}}
	prints  = []size{{"30 x 40 cm", 0}, {"50 x 70 cm", 60}, {"70 x 100 cm", 120}}
	linens  = []size{{"130 x 170 cm", 0}, {"150 x 200 cm", 30}}
	shoes   = []size{{"37", 0}, {"38", 0}, {"39", 0}, {"40", 0}, {"41", 0}, {"42", 0}, {"43", 0}, {"44", 0}}
)

var kinds = []kind{
	{"Mug", "MUG", "Kitchen", "kitchen", "mug", "A stoneware mug that keeps the first coffee warm until the second.", [2]string{"Holds 0.3 l to the rim", "Goes into the dishwasher"}, []string{"gift", "stoneware"}, 1650, 380, true, "", nil},
	{"Teapot", "TPT", "Kitchen", "kitchen", "teapot", "A teapot that pours without a drip, with a sieve you can lift out.", [2]string{"Sieve of stainless steel", "The lid stays on when you pour"}, []string{"stoneware", "tea"}, 4900, 900, true, "Size", vessels},
	{"Chopping Board", "BRD", "Kitchen", "kitchen", "board", "A board of end-grain oak that is kind to knives.", [2]string{"Oiled, not lacquered", "A groove that catches the juice"}, []string{"wood", "gift"}, 3900, 1800, false, "Size", vessels},
	{"Lamp", "LMP", "Living", "living room", "lamp", "A table lamp with a linen shade and a light that can be dimmed.", [2]string{"Socket E27, bulb included", "Cable of 1.8 m, woven"}, []string{"light", "linen"}, 8900, 2100, true, "", nil},
	{"Cushion", "CSH", "Living", "living room", "cushion", "A cushion with a cover of washed linen and a filling that keeps its shape.", [2]string{"Cover comes off, 40 °C", "Hidden zip"}, []string{"linen", "gift"}, 2900, 600, true, "", nil},
	{"Blanket", "BLK", "Living", "living room", "blanket", "A blanket of lambswool, woven so densely that wind stays outside.", [2]string{"All wool, spun in Europe", "Fringed by hand"}, []string{"wool", "winter"}, 8900, 1100, true, "Size", linens},
	{"Chair", "CHR", "Living", "dining room", "chair", "A chair that four people can carry off at once, and nobody wants to leave.", [2]string{"Seat height 45 cm", "Carries 130 kg"}, []string{"wood", "furniture"}, 21900, 5200, true, "", nil},
	{"Planter", "PLT", "Garden", "balcony", "pot", "A planter with a hidden drain, so that roots never stand in water.", [2]string{"Frost-proof", "Saucer included"}, []string{"clay", "outdoor"}, 2400, 1900, true, "Size", vessels},
	{"Watering Can", "CAN", "Garden", "balcony", "can", "A watering can with a long neck that reaches the last leaf.", [2]string{"Holds 1.5 l", "Powder-coated steel"}, []string{"steel", "outdoor"}, 3400, 700, true, "", nil},
	{"Notebook", "NTB", "Desk", "desk", "book", "A notebook that lies flat, with paper that takes ink without a shadow.", [2]string{"192 pages of 100 g paper", "Two ribbons, one pocket"}, []string{"paper", "gift"}, 1450, 320, true, "Ruling", []size{{"Plain", 0}, {"Lined", 0}, {"Dotted", 0}}},
	{"Desk Tray", "TRY", "Desk", "desk", "tray", "A tray that makes a heap of papers look like a plan.", [2]string{"Takes A4 and letter", "Stacks with its like"}, []string{"wood", "office"}, 2600, 800, false, "", nil},
	{"Poster", "PST", "Walls", "living room", "poster", "A print in pigment inks on cotton paper, for walls that want company.", [2]string{"Comes rolled in a tube", "Frame not included"}, []string{"paper", "art", "gift"}, 1900, 250, false, "Size", prints},
	{"T-Shirt", "TSH", "Clothing", "wardrobe", "shirt", "A T-shirt of heavy cotton that keeps its neck after a hundred washes.", [2]string{"Organic cotton, 220 g", "Wash at 40 °C"}, []string{"cotton", "summer"}, 2900, 240, true, "Size", clothes},
	{"Jumper", "JMP", "Clothing", "wardrobe", "jumper", "A jumper of merino, fine enough for the office and warm enough for the pier.", [2]string{"Extra-fine merino", "Knitted in one piece"}, []string{"wool", "winter"}, 9900, 420, true, "Size", clothes},
	{"Canvas Shoes", "SHO", "Clothing", "wardrobe", "shoe", "Canvas shoes on a rubber sole that knows wet planks.", [2]string{"Inner sole comes out", "Vegan"}, []string{"cotton", "summer"}, 6900, 820, true, "Size", shoes},
	{"Tote", "TOT", "Bags", "on the road", "bag", "A tote that carries a week of shopping, or a weekend.", [2]string{"Canvas of 18 oz", "Pocket with a zip inside"}, []string{"cotton", "gift"}, 3900, 520, true, "", nil},
	{"Rucksack", "RCK", "Bags", "on the road", "rucksack", "A rucksack with one big room and a door of its own for the laptop.", [2]string{"Holds 22 l and a 16-inch laptop", "Sheds rain"}, []string{"travel", "office"}, 11900, 980, true, "", nil},
	{"Bottle", "BTL", "On the road", "on the road", "bottle", "A steel bottle that keeps ice until evening and tea until noon.", [2]string{"Double-walled steel", "Does not leak, does not sweat"}, []string{"steel", "travel", "gift"}, 2700, 360, true, "Volume", []size{{"0.5 l", 0}, {"0.75 l", 20}}},
	{"Candle", "CND", "Living", "bathroom", "candle", "A candle of rapeseed wax that burns for fifty evenings.", [2]string{"Burns for about 50 hours", "Glass to be used again"}, []string{"scent", "gift"}, 2200, 480, false, "Scent", []size{{"Cedar", 0}, {"Sea Salt", 0}, {"Fig", 0}}},
	{"Speaker", "SPK", "Sound", "living room", "speaker", "A small speaker with a big room in its voice.", [2]string{"Plays for 18 hours", "Pairs with a second one for stereo"}, []string{"music", "travel"}, 12900, 740, true, "", nil},
}

var lines = []line{
	{"Harbour", "HBR", "Kontor & Söhne", "classic", "Its shapes are borrowed from cranes and bollards.", "Wipe with a damp cloth", 100},
	{"Meadow", "MDW", "Grüne Hand", "calm", "The colours were taken from a hay meadow in June.", "Made with green power", 95},
	{"Fjord", "FJD", "Nordvik", "calm", "Plain as rock and as lasting.", "Guaranteed for ten years", 130},
	{"Lantern", "LTN", "Atelier Lumen", "warm", "It looks best when the day is nearly over.", "Parts can be bought one by one", 120},
	{"Dune", "DNE", "Kontor & Söhne", "calm", "It has the grain of wind on sand.", "Every piece differs a little", 90},
	{"Quarry", "QRY", "Steinbruch 12", "bold", "Heavy where it should be, fine where you touch it.", "Numbered at the base", 140},
	{"Orchard", "ORC", "Grüne Hand", "warm", "It belongs near a bowl of apples.", "Packed without plastic", 85},
	{"Tidal", "TDL", "Nordvik", "bold", "The pattern repeats every six hours and twelve minutes.", "Keep away from strong sun", 110},
	{"Foundry", "FND", "Steinbruch 12", "bold", "It was drawn with a ruler and improved with a hammer.", "Gets better with age", 125},
	{"Linden", "LND", "Maison Tilleul", "classic", "Quiet enough to be noticed late and kept for long.", "Repaired free of charge", 105},
	{"Observatory", "OBS", "Atelier Lumen", "bold", "Its dots are the sky above Hamburg on the first of May.", "Designed with astronomers", 150},
	{"Ferry", "FRY", "Kontor & Söhne", "classic", "It has crossed the Elbe more often than we can count.", "Fits into hand luggage", 80},
	{"Almond", "ALM", "Maison Tilleul", "warm", "Soft in colour, firm in character.", "Certified by an independent laboratory", 100},
	{"Signal", "SGN", "Nordvik", "bold", "You will find it on a crowded table.", "Reflects in the dark", 95},
	{"Cloister", "CLS", "Maison Tilleul", "calm", "It asks for a room with a door that closes.", "Made in small numbers", 135},
	{"Bramble", "BRM", "Grüne Hand", "warm", "A little wild at the edges, on purpose.", "Compostable packaging", 90},
}

var palette = []colour{
	{"Sea", "SEA", "#2f6f8f", "#1d4a61"},
	{"Sand", "SND", "#d9c3a0", "#b39a70"},
	{"Moss", "MSS", "#6f8558", "#4c5f3a"},
	{"Brick", "BRK", "#b5533c", "#833827"},
	{"Chalk", "CHK", "#efece4", "#cfc9bb"},
	{"Coal", "COL", "#3a3d42", "#22242a"},
	{"Mustard", "MST", "#d7a02c", "#a4761a"},
	{"Plum", "PLM", "#6e4666", "#4b2d46"},
	{"Sky", "SKY", "#9cc3d8", "#6a9ab3"},
	{"Rose", "RSE", "#d9a3a0", "#b0736f"},
}

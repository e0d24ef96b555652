"""Words for the grammar."""

from __future__ import annotations

from benchmarks.corpus.grammar.lists import forms, phrases, words

__all__ = [
    "ANIMALS",
    "COLOURS",
    "CONTAINERS",
    "CRAFTS",
    "DAYS",
    "FOODS",
    "GROUPS",
    "JOBS",
    "LIQUIDS",
    "MONTHS",
    "NAMES",
    "PLACES",
    "SHOPS",
    "THINGS",
    "TOWNS",
    "VEHICLES",
    "article",
    "list_of",
    "number_word",
]

NAMES = words("""Aisha Alberto Amara Anders Anika Antoine Arjun Astrid Beatriz Benedikt Bronwyn Callum Camila Casimir Chidi Chloé
    Clara Dagny Damian Daphne Davide Dimitri Eamon Efua Elif Eloise Emeka Enrique Ewa Farid Fatima Felix Fiona Freya
    Gaurav Georgina Giulia Goran Greta Hana Harriet Hassan Hector Helga Hiroshi Ibrahim Ida Imogen Indira Ingrid Isaac
    Ivan Jamila Jasper Jelena Joaquín José Juno Kaito Katarina Kofi Kwame Lars Leila Leopold Linnea Lorenzo Lucinda
    Magnus Malik Mariam Marisol Matteo Mei Mireille Mohini Nadia Naoki Nasrin Nikolai Nuria Odette Olamide Oscar Otto
    Pavel Penelope Petra Quentin Rahul Rania Renée Rosalind Rufus Sadie Samir Saoirse Selma Shreya Silvio Sunniva Tariq
    Tatiana Teodor Thandiwe Tomasz Ulrika Umberto Valentina Viktor Wanda Wilfred Xenia Yara Yusuf Zainab Zoë""")
TOWNS = words("""Ashcombe Bellmoor Brackwater Carrowby Dunhollow Eastmere Fallowfield Glenharrow Hartsbridge Inverlay Kestrelton
    Larkhaven Millstead Northwick Oakhurst Pinecrest Quarrydale Ravensford Saltmarsh Thornbury Underhill Vinecliff
    Westerby Wrenfield Yarrowdale Briarton Copperhill Dovecote Elmsworth Foxley Granby Hollins Juniper Kettering Lowmoor
    Marlowe Netherby Osmington Penhallow Rosemount""")
THINGS = forms(
    words("""marble/marbles sticker/stickers pencil/pencils notebook/notebooks postcard/postcards button/buttons
    seashell/seashells candle/candles balloon/balloons coin/coins badge/badges crayon/crayons ribbon/ribbons lantern/lanterns
    magnet/magnets puzzle/puzzles comic/comics stamp/stamps keyring/keyrings tulip/tulips brick/bricks tile/tiles
    screw/screws battery/batteries poster/posters envelope/envelopes ticket/tickets feather/feathers pebble/pebbles
    bead/beads bracelet/bracelets mug/mugs plate/plates cushion/cushions lamp/lamps scarf/scarves hat/hats glove/gloves
    umbrella/umbrellas kite/kites drum/drums whistle/whistles token/tokens domino/dominoes photograph/photographs
    magazine/magazines bulb/bulbs seedling/seedlings sunflower/sunflowers acorn/acorns fossil/fossils crystal/crystals
    medal/medals trophy/trophies brush/brushes canvas/canvases folder/folders stapler/staplers ruler/rulers
    compass/compasses globe/globes atlas/atlases dictionary/dictionaries novel/novels cassette/cassettes record/records
    helmet/helmets bandage/bandages sponge/sponges towel/towels blanket/blankets pillow/pillows hinge/hinges
    bolt/bolts washer/washers pulley/pulleys gasket/gaskets sensor/sensors magnifier/magnifiers""")
)
FOODS = forms(
    words("""apple/apples muffin/muffins bagel/bagels pear/pears plum/plums apricot/apricots lemon/lemons
    peach/peaches cookie/cookies pretzel/pretzels dumpling/dumplings samosa/samosas tangerine/tangerines mango/mangoes
    croissant/croissants walnut/walnuts almond/almonds carrot/carrots radish/radishes cucumber/cucumbers onion/onions
    tomato/tomatoes pumpkin/pumpkins waffle/waffles pancake/pancakes sandwich/sandwiches cupcake/cupcakes
    biscuit/biscuits olive/olives grapefruit/grapefruits pastry/pastries egg/eggs avocado/avocados
    nectarine/nectarines fig/figs chestnut/chestnuts scone/scones falafel/falafels empanada/empanadas""")
)
ANIMALS = forms(
    words("""goat/goats hen/hens sheep/sheep duck/ducks alpaca/alpacas rabbit/rabbits pigeon/pigeons turtle/turtles
    heron/herons hedgehog/hedgehogs llama/llamas donkey/donkeys pony/ponies turkey/turkeys goose/geese
    ferret/ferrets parrot/parrots trout/trout salmon/salmon beetle/beetles bat/bats otter/otters seal/seals
    penguin/penguins lizard/lizards frog/frogs newt/newts deer/deer fox/foxes badger/badgers""")
)
PLACES = phrases("""the community garden;the public library;a mountain hut;the school workshop;the harbour office;a beach kiosk;
    the town hall;a railway station;the botanical garden;an old windmill;the sports centre;a village bakery;the science museum;
    a pottery studio;the animal shelter;a lighthouse;the concert hall;a summer camp;the print shop;a youth hostel;
    the fire station;a research vessel;the night market;a fishing pier;the planetarium;an apple orchard;a bicycle workshop;
    the recycling yard;a theatre cellar;the ice rink;a greenhouse;the post office;a carpenter's yard;the swimming pool;
    a vineyard;the city archive;a toy factory;the ferry terminal;a dairy farm;the chess club;a weather station;
    the airport lounge;a flower stall;the veterinary clinic;a radio studio;the climbing gym;a tea plantation;
    the bus depot;a glass foundry;the aquarium""")
SHOPS = phrases("""stationery shop;corner store;hardware store;bookshop;garden centre;craft fair;flea market;gift shop;toy shop;
    department store;museum shop;antique shop;farm shop;art supply store;charity shop;supermarket;street market;
    music shop;sports shop;bakery""")
CONTAINERS = forms(
    phrases("""box/boxes;crate/crates;bag/bags;basket/baskets;jar/jars;shelf/shelves;drawer/drawers;tray/trays;
    carton/cartons;bucket/buckets;sack/sacks;tin/tins;chest/chests;pouch/pouches;suitcase/suitcases;bin/bins""")
)
JOBS = words("""baker carpenter gardener librarian mechanic nurse painter pilot plumber potter sailor tailor teacher welder
    architect beekeeper blacksmith botanist chemist clockmaker curator dentist diver electrician farmer fisherman florist
    geologist glazier jeweller joiner mason miller musician optician photographer printer ranger saddler sculptor
    shepherd surveyor translator weaver""")
CRAFTS = phrases("""paint a fence;wash a van;knit a scarf;type a report;assemble a wardrobe;weed a flower bed;bind a book;
    tile a bathroom;clean a stable;pack a shipment;polish a sculpture;sort a delivery;stitch a quilt;mow a meadow;
    repair a bicycle;lay a patio;plough a field;decorate a hall;translate a leaflet;restore a chair;fill a silo;
    print a catalogue;varnish a boat;dig a trench""")
LIQUIDS = phrases("""salt solution;sugar syrup;lemonade concentrate;acid solution;alcohol solution;fertiliser solution;orange cordial;
    antifreeze mixture;vinegar solution;cleaning fluid;bleach solution;iced tea""")
VEHICLES = words("""train bus lorry cyclist ferry tram motorcyclist van coach hiker runner canoe sailing-boat tractor drone kayak
    helicopter minibus barge scooter""")
COLOURS = words("red blue green yellow purple orange black white silver brown pink grey turquoise crimson")
DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = words("January February March April May June July August September October November December")
GROUPS = phrases("""choir;rowing team;drama club;scout troop;orchestra;chess club;hiking group;dance class;robotics club;debate society;
    film crew;book circle;running club;astronomy society;cooking class;brass band;swimming squad;gardening club""")
_ONES = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety")


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def list_of(items: list[str], word: str = "and") -> str:
    """The items in a sentence: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def number_word(number: int) -> str:
    """The English name of a number from 0 to 99."""
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")

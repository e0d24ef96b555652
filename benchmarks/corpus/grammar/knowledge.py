"""Multiple-choice and short questions on tables of facts: elements, capitals, organs, units, works."""

from __future__ import annotations

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.lists import pairs, rows
from benchmarks.corpus.grammar.science import choose
from benchmarks.corpus.template import Made, template

__all__: list[str] = []

_CAPITALS = pairs("""France:Paris;Italy:Rome;Spain:Madrid;Portugal:Lisbon;Austria:Vienna;Hungary:Budapest;Poland:Warsaw;
Norway:Oslo;Sweden:Stockholm;Finland:Helsinki;Denmark:Copenhagen;Greece:Athens;Bulgaria:Sofia;Romania:Bucharest;Serbia:Belgrade;Croatia:Zagreb;
Ireland:Dublin;Iceland:Reykjavik;Latvia:Riga;Estonia:Tallinn;Lithuania:Vilnius;Egypt:Cairo;Kenya:Nairobi;Ghana:Accra;Senegal:Dakar;
Ethiopia:Addis Ababa;Uganda:Kampala;Angola:Luanda;Tunisia:Tunis;Algeria:Algiers;Morocco:Rabat;Japan:Tokyo;China:Beijing;India:New Delhi;
Nepal:Kathmandu;Thailand:Bangkok;Vietnam:Hanoi;Malaysia:Kuala Lumpur;Indonesia:Jakarta;Mongolia:Ulaanbaatar;Iran:Tehran;Iraq:Baghdad;
Jordan:Amman;Lebanon:Beirut;Turkey:Ankara;Canada:Ottawa;Mexico:Mexico City;Cuba:Havana;Peru:Lima;Chile:Santiago;Argentina:Buenos Aires;
Uruguay:Montevideo;Colombia:Bogotá;Ecuador:Quito;Venezuela:Caracas;Australia:Canberra;New Zealand:Wellington;Fiji:Suva""")  # fmt: skip
_ELEMENTS = rows("""hydrogen:H:1;helium:He:2;lithium:Li:3;beryllium:Be:4;boron:B:5;carbon:C:6;nitrogen:N:7;oxygen:O:8;
fluorine:F:9;neon:Ne:10;sodium:Na:11;magnesium:Mg:12;aluminium:Al:13;silicon:Si:14;phosphorus:P:15;sulfur:S:16;chlorine:Cl:17;argon:Ar:18;
potassium:K:19;calcium:Ca:20;scandium:Sc:21;titanium:Ti:22;vanadium:V:23;chromium:Cr:24;manganese:Mn:25;iron:Fe:26;cobalt:Co:27;nickel:Ni:28;
copper:Cu:29;zinc:Zn:30;gallium:Ga:31;germanium:Ge:32;arsenic:As:33;selenium:Se:34;bromine:Br:35;krypton:Kr:36;rubidium:Rb:37;strontium:Sr:38;
silver:Ag:47;cadmium:Cd:48;tin:Sn:50;antimony:Sb:51;iodine:I:53;xenon:Xe:54;caesium:Cs:55;barium:Ba:56;tungsten:W:74;platinum:Pt:78;gold:Au:79;
mercury:Hg:80;lead:Pb:82;bismuth:Bi:83;radon:Rn:86;uranium:U:92""")  # fmt: skip
_ORGANS = pairs("""the heart:pumps blood through the body;the lungs:exchange gases with the air;the liver:breaks down toxins and makes bile;
the kidneys:filter waste from the blood;the stomach:digests food with acid;the small intestine:absorbs most nutrients;
the large intestine:absorbs water from waste;the pancreas:makes insulin;the spleen:filters old blood cells;the skin:protects against infection;
the thyroid:regulates metabolism;the bladder:stores urine;the retina:turns light into nerve signals;the cerebellum:coordinates movement;
the gallbladder:stores bile;the diaphragm:drives breathing""")  # fmt: skip
_UNITS = pairs("""force:newton;energy:joule;power:watt;pressure:pascal;electric charge:coulomb;electric potential:volt;resistance:ohm;
capacitance:farad;magnetic flux:weber;magnetic flux density:tesla;inductance:henry;frequency:hertz;luminous flux:lumen;illuminance:lux;
radioactivity:becquerel;amount of substance:mole;temperature:kelvin;luminous intensity:candela;electric current:ampere;conductance:siemens""")  # fmt: skip
_TERMS = pairs("""osmosis:the movement of water through a membrane;erosion:the wearing away of rock and soil;photosynthesis:the making of sugar from light;
evaporation:the change from liquid to gas;condensation:the change from gas to liquid;sublimation:the change from solid to gas;
mitosis:the division of a cell into two equal ones;meiosis:the division that makes sex cells;symbiosis:the close living together of two species;
inflation:a general rise of prices;monopoly:a market with a single seller;tariff:a tax on imported goods;metaphor:a comparison without like or as;
alliteration:the repetition of first sounds;irony:saying the opposite of what is meant;inertia:the resistance to a change of motion;
refraction:the bending of light at a boundary;diffraction:the spreading of waves behind an edge;catalyst:a substance that speeds up a reaction;
isotope:an atom with another number of neutrons;oligarchy:rule by a few;plurality:more votes than any rival has;filibuster:a long speech to delay a vote;
sediment:matter that settles at the bottom;aquifer:rock that holds groundwater;delta:land formed at a river mouth""")  # fmt: skip


@template("choice", 4)
def capital(draw: Draw) -> Made:
    country = draw.entity.pick(sorted(_CAPITALS))
    p = draw.phrasing
    others = [town for town in _CAPITALS.values() if town != _CAPITALS[country]]
    asked, right, wrong = draw.asked.pick((
        (p.pick((f"What is the capital of {country}?", f"Which city is the capital of {country}?")), _CAPITALS[country], others),
        (p.pick((f"Of which country is {_CAPITALS[country]} the capital?", f"{_CAPITALS[country]} is the capital of which country?")), country, [name for name in _CAPITALS if name != country]),
    ))  # fmt: skip
    return choose(draw, asked, right, draw.choices.sample(wrong, 3))


@template("choice", 6)
def element(draw: Draw) -> Made:
    e, p = draw.entity, draw.phrasing
    name, symbol, number = e.pick(_ELEMENTS)
    asked, right, column = draw.asked.pick((
        (p.pick((f"What is the chemical symbol of {name}?", f"Which symbol stands for the element {name}?")), symbol, 1),
        (p.pick((f"Which element has the chemical symbol {symbol}?", f"The symbol {symbol} stands for which element?")), name, 0),
        (p.pick((f"What is the atomic number of {name}?", f"How many protons does an atom of {name} have?")), number, 2),
        (p.pick((f"Which element has the atomic number {number}?", f"An atom with {number} protons belongs to which element?")), name, 0),
    ))  # fmt: skip
    return choose(
        draw, asked, right, draw.choices.sample([row[column] for row in _ELEMENTS if row[column] != right], 3)
    )


@template("choice", 10)
def greatest_number(draw: Draw) -> Made:
    p, o = draw.phrasing, draw.operator
    rows = draw.words.shuffled(draw.entity.subset(_ELEMENTS, 4))
    word, pick = o.pick((("greatest", max), ("smallest", min)))
    right = pick(rows, key=lambda row: int(row[2]))[0]
    return choose(
        draw,
        p.pick(
            (
                f"Which of these elements has the {word} number of protons: {', '.join(row[0] for row in rows)}?",
                f"Of the elements {', '.join(row[0] for row in rows)}, which one has the {word} number of protons?",
            )
        ),
        right,
        [row[0] for row in rows],
    )


@template("choice", 4)
def organ(draw: Draw) -> Made:
    name, p = draw.entity.pick(sorted(_ORGANS)), draw.phrasing
    asked, right, wrong = draw.asked.pick((
        (p.pick((f"What is a main function of {name} in the human body?", f"Which of the following does {name} do in the human body?")), f"It {_ORGANS[name]}.".replace("It exchange", "They exchange").replace("It filter w", "They filter w"), [f"It {text}." for text in _ORGANS.values() if text != _ORGANS[name]]),
        (p.pick((f"Which part of the human body {_ORGANS[name]}?", f"What in the human body {_ORGANS[name]}?")), name, [text for text in _ORGANS if text != name]),
    ))  # fmt: skip
    return choose(draw, asked, right, draw.choices.sample(wrong, 3))


@template("choice", 4, "benchmark")
def unit(draw: Draw) -> Made:
    name, p = draw.entity.pick(sorted(_UNITS)), draw.phrasing
    asked, right, wrong = draw.asked.pick((
        (p.pick((f"What is the SI unit of {name}?", f"In which SI unit is {name} measured?")), _UNITS[name], [text for text in _UNITS.values() if text != _UNITS[name]]),
        (p.pick((f"Which quantity is measured in the unit {_UNITS[name]}?", f"The {_UNITS[name]} is the unit of which quantity?")), name, [text for text in _UNITS if text != name]),
    ))  # fmt: skip
    return choose(draw, asked, right, draw.choices.sample(wrong, 3))


@template("choice", 4, "both")
def term(draw: Draw) -> Made:
    name, p = draw.entity.pick(sorted(_TERMS)), draw.phrasing
    asked, right, wrong = draw.asked.pick((
        (p.pick((f"Which of the following best describes the term {name}?", f"What is meant by {name}?")), _TERMS[name], [text for text in _TERMS.values() if text != _TERMS[name]]),
        (p.pick((f"What is the term for {_TERMS[name]}?", f"Which term means {_TERMS[name]}?")), name, [text for text in _TERMS if text != name]),
    ))  # fmt: skip
    return choose(draw, asked, right, draw.choices.sample(wrong, 3))


@template("choice", 10, "benchmark")
def odd_one_out(draw: Draw) -> Made:
    e, p = draw.entity, draw.phrasing
    inside, outside = e.sample(
        (
            sorted(_CAPITALS),
            [row[0] for row in _ELEMENTS],
            sorted(_UNITS.values()),
            sorted(_TERMS),
            [text.removeprefix("the ") for text in _ORGANS],
        ),
        2,
    )
    rows, odd = e.subset(inside, 4), e.pick(outside)
    listed = ", ".join(draw.words.shuffled([*rows, odd]))
    return choose(
        draw,
        p.pick(
            (
                f"Which of these does not belong with the others: {listed}?",
                f"One of the following differs in kind from the rest: {listed}. Which one?",
            )
        ),
        odd,
        rows,
    )


@template("choice", 10)
def matched_pairs(draw: Draw) -> Made:
    e, p = draw.entity, draw.phrasing
    table, what = e.pick(
        (
            (_CAPITALS, "country and capital"),
            (_UNITS, "quantity and SI unit"),
            (_TERMS, "term and meaning"),
            (_ORGANS, "organ and function"),
        )
    )
    first = e.pick(sorted(table))
    keys = [first, *draw.choices.sample([key for key in sorted(table) if key != first], 3)]
    right = f"{keys[0]} – {table[keys[0]]}"
    wrong = [f"{keys[i]} – {table[keys[j]]}" for i, j in ((1, 2), (2, 3), (3, 1))]
    return choose(
        draw,
        p.pick(
            (
                f"In which of the following pairs, beginning with {keys[0]} or another, do {what} belong together?",
                f"Which pair of {what} is matched correctly, that with {keys[0]} or another?",
            )
        ),
        right,
        wrong,
    )

"""Multiple-choice questions on invented studies, passages and disputes: mostly words, few or no numbers."""

from __future__ import annotations

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.lists import phrases
from benchmarks.corpus.grammar.scenes import scenery
from benchmarks.corpus.grammar.science import choose
from benchmarks.corpus.grammar.vocabulary import (
    ANIMALS,
    COLOURS,
    CRAFTS,
    DAYS,
    FOODS,
    GROUPS,
    JOBS,
    MONTHS,
    NAMES,
    PLACES,
    TOWNS,
    article,
)
from benchmarks.corpus.template import Made, template

__all__: list[str] = []

_SUBJECTS = phrases("""freshwater mussels;barley seedlings;honeybees;cave crickets;tree frogs;sea urchins;red algae;house sparrows;soil fungi;
brine shrimp;garden snails;fruit bats;moss cushions;zebrafish larvae;yeast cultures;leafcutter ants;river crayfish;alpine daisies;barn owls;
duckweed;earthworms;stick insects;harbour seals;lichens;tomato plants;mangrove saplings;coral polyps;field mice;dragonfly nymphs;pond snails""")  # fmt: skip
_FACTORS = phrases("""water temperature;light intensity;soil acidity;salt concentration;noise level;the length of the day;the amount of nitrate;
wind speed;the density of the population;the oxygen content of the water;the colour of the light;humidity;the depth of the soil;
the presence of a predator's scent;the copper content of the food;air pressure;the age of the food;the number of hiding places;
magnetic field strength;the hardness of the water""")  # fmt: skip
_MEASURES = phrases("""growth rate;oxygen consumption;number of eggs;heart rate;leaf area;swimming speed;body mass;survival after a month;
pigment content;feeding time;depth of burrows;length of roots;frequency of calls;thickness of the shell;rate of germination;wing length;
time to hatch;reaction time;number of offspring;rate of photosynthesis""")  # fmt: skip
_SUBJECT_AREAS = phrases("""glaciers;volcanic soils;tidal power;medieval guilds;lighthouses;copper smelting;bird migration;paper making;
coral reefs;wool trade;river deltas;early printing;steam ploughs;salt roads;sundials;cable cars;seed banks;rope bridges;glass blowing;
peat bogs;weather balloons;canal locks;beekeeping;sea dykes;wind pumps;clock towers;charcoal burning;ice houses;pilgrim routes;
dry stone walls""")  # fmt: skip
_CLAIMS = phrases("""are shaped more by trade than by climate;depend on cooperation between neighbours;have declined because of cheaper substitutes;
were first recorded by travellers;cannot be explained by a single cause;are older than the written sources suggest;changed local law;
spread along rivers;survive only where they are subsidised;are best understood through maps;reduced the risk of famine;encouraged migration;
were kept secret by their makers;were copied from abroad;raised the value of land;made winters easier;divided the villages;
need less repair than is believed;followed the mountain passes;ended a long dispute over water""")  # fmt: skip


@template("choice", 30)
def experiment(draw: Draw) -> Made:
    w, p, e, n = draw.words, draw.phrasing, draw.entity, draw.numbers
    subject, factor, others = e.pick(_SUBJECTS), e.pick(_FACTORS), w.sample(_FACTORS, 3)
    measure, groups, days = e.pick(_MEASURES), n.between(3, 12), n.between(5, 60)
    who, town = w.pick(NAMES), w.pick(TOWNS)
    same = [other for other in others if other != factor][:2]
    said = p.pick((f"{who} keeps {groups} groups of {subject} near {town} under different settings of {factor} for {days} days and records the {measure}. {same[0].capitalize()} and {same[1]} are the same for all groups.",
                   f"To study {subject}, {who} varies {factor} between {groups} groups near {town}, holds {same[0]} and {same[1]} constant, and records the {measure} over {days} days."))  # fmt: skip
    asked, right = draw.asked.pick(
        (("the independent variable", factor), ("the dependent variable", measure), ("a controlled variable", same[0]))
    )
    stem = p.pick(
        (
            f"{said} Which of the following is {asked} in this experiment?",
            f"{said} In this experiment, {asked} is which of the following?",
        )
    )
    wrong = [
        text
        for text in (
            factor,
            measure,
            same[0],
            f"the number of {subject} in each group",
            "the name of the researcher",
            w.pick(PLACES),
        )
        if text != right
    ]
    return choose(draw, stem, right, [text for text in wrong if not (asked.startswith("a c") and text in same)])


@template("choice", 25)
def passage(draw: Draw) -> Made:
    w, p, e = draw.words, draw.phrasing, draw.entity
    topic, claim, other = e.pick(_SUBJECT_AREAS), *e.sample(_CLAIMS, 2)
    who, critic, town, year = w.pick(NAMES), w.pick(NAMES), w.pick(TOWNS), e.between(1620, 1990)
    said = p.pick((f"In a study from {year}, {who} of {town} argued that {topic} {claim}. {critic}, on the other hand, held that they {other}.",
                   f"A study by {who} of {town} from {year} argued that {topic} {claim}; it was {critic} who held against it that they {other}."))  # fmt: skip
    context = scenery(w, w.weighted(((0, 3), (2, 2), (4, 2), (6, 1))))
    asked, right, wrong = draw.asked.pick((
        (f"According to the passage, what did {who} argue about {topic}?", f"that they {claim}", f"that they {other}"),
        (f"According to the passage, what did {critic} hold about {topic}?", f"that they {other}", f"that they {claim}"),
        (f"According to the passage, when did {who}'s study appear?", str(year), str(year + draw.choices.between(2, 40))),
    ))  # fmt: skip
    years = [str(year - k) for k in (3, 11, 27, 50)]
    more = (
        years
        if right.isdigit()
        else [f"that they {text}" for text in draw.choices.sample(_CLAIMS, 4) if text not in (claim, other)]
    )
    return choose(draw, f"{context} {said} {asked}".strip(), right, [wrong, *more])


@template("choice", 15)
def correct_statement(draw: Draw) -> Made:
    w, p, e, o = draw.words, draw.phrasing, draw.entity, draw.operator
    topic, right, place, job = e.pick(_SUBJECT_AREAS), e.pick(_CLAIMS), e.pick(TOWNS), e.pick(JOBS)
    how = o.pick(("correct", "not correct"))
    stem = p.pick((f"Which of the following statements about {topic} in {place} is {how}, according to the notes of the {job}?",
                   f"According to the notes of the {job}, which of the following statements about {topic} in {place} is {how}?"))  # fmt: skip
    wrong = [f"They {text}." for text in draw.choices.sample(_CLAIMS, 5) if text != right]
    return choose(draw, stem, f"They {right}.", wrong, w.pick((3, 4, 5)))


@template("choice", 15, "benchmark")
def inference(draw: Draw) -> Made:
    p, e, o = draw.phrasing, draw.entity, draw.operator
    group, place, day = e.pick(GROUPS), e.pick(PLACES), e.pick(DAYS)
    (_, animals), job, colour = e.pick(ANIMALS), e.pick(JOBS), e.pick(COLOURS)
    every = o.pick(("Every", "No"))
    said = p.pick((f"{every} member of the {group} is {article(job)}. All who meet at {place} on {day} belong to the {group}. Some of those who keep {animals} meet there on {day} in {colour} coats.",
                   f"All who meet at {place} on {day} belong to the {group}, and some who keep {animals} meet there on {day} in {colour} coats. {every} member of the {group} is {article(job)}."))  # fmt: skip
    some = f"Some who keep {animals} are {job}s." if every == "Every" else f"Some who keep {animals} are not {job}s."
    wrong = [
        f"All who keep {animals} are {job}s.",
        f"No one who keeps {animals} is {article(job)}.",
        f"Every {job} belongs to the {group}.",
        f"Nobody in a {colour} coat keeps {animals}.",
    ]
    return choose(
        draw, f"{said} {p.pick(('Which conclusion follows?', 'What follows from these statements?'))}", some, wrong
    )


@template("choice", 12)
def sentence_sense(draw: Draw) -> Made:
    w, p, e = draw.words, draw.phrasing, draw.entity
    who, job, craft, (_, food), month = w.pick(NAMES), e.pick(JOBS), e.pick(CRAFTS), e.pick(FOODS), e.pick(MONTHS)
    reluctant = e.pick(
        (
            ("reluctant", "unwilling"),
            ("eager", "keen"),
            ("entitled", "allowed"),
            ("compelled", "forced"),
            ("likely", "expected"),
            ("liable", "apt"),
            ("able", "in a position"),
            ("content", "satisfied"),
            ("determined", "resolved"),
            ("hesitant", "unsure whether"),
        )
    )
    stem = p.pick((f'Read the sentence: "In {month}, the {job} {who} was {reluctant[0]} to {craft} in return for {food}." Which word or phrase is closest in meaning to "{reluctant[0]}"?',
                   f'"In {month}, the {job} {who} was {reluctant[0]} to {craft} in return for {food}." Which of these is nearest in meaning to "{reluctant[0]}" as it is used here?'))  # fmt: skip
    wrong = [
        "unwilling",
        "keen",
        "allowed",
        "forced",
        "expected",
        "apt",
        "in a position",
        "satisfied",
        "resolved",
        "famous",
        "late",
        "paid",
    ]
    return choose(draw, stem, reluctant[1], draw.choices.sample(wrong, 6))


@template("choice", 12, "benchmark")
def next_step(draw: Draw) -> Made:
    p, e = draw.phrasing, draw.entity
    job, craft, place, (_, thing) = e.pick(JOBS), e.pick(CRAFTS), e.pick(PLACES), e.pick(FOODS)
    trouble, right = e.pick(
        (
            ("the measuring tape is missing", "Borrow another tape before starting."),
            ("the order was doubled by mistake", "Call the customer and correct the order."),
            ("a visitor has slipped on the floor", "Help the visitor and close off the area."),
            ("the power has failed", "Switch off the machines and check the fuse."),
            ("the key does not fit the lock", "Compare the number on the key with the list."),
            ("the paint is of the wrong colour", "Exchange it before the work begins."),
            ("two helpers give opposite advice", "Ask each for the reason and test it on a small piece."),
            ("the delivery has a broken seal", "Photograph it and report it to the supplier."),
        )
    )
    stem = p.pick((f"{article(job).capitalize()} has been asked to {craft} at {place} in exchange for {thing}, but {trouble}. What should be done first?",
                   f"Asked to {craft} at {place} in exchange for {thing}, {article(job)} finds that {trouble}. Which step should come first?"))  # fmt: skip
    wrong = [
        "Go home and say nothing.",
        "Blame the last person who was there.",
        "Finish the work as if nothing had happened.",
        "Write a poem about it.",
        "Wait until somebody else notices.",
        "Throw everything away.",
        "Ask for more money at once.",
    ]
    return choose(draw, stem, right, draw.choices.sample(wrong, 5))

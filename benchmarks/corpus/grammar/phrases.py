"""Words and phrases that edits and rewordings put for others."""

from __future__ import annotations

from benchmarks.corpus.grammar.lists import forms, phrases, words

__all__ = ["BRITISH", "CONTRACTIONS", "INSTRUCTIONS", "INTRODUCTIONS", "MEANING", "SPARE", "STOCK", "SYNONYMS"]

# Words in which a typo or a loss would change what is asked.
MEANING = frozenset(
    words("""sum product greatest smallest largest least minimum maximum more fewer less than not never always every some none
    without with replacement before after older younger taller shorter faster slower series parallel floor ceiling twice half
    quarter double first second third last larger smaller divisible inclusive exclusive lowest highest correct incorrect left
    right positive negative even odd sine cosine difference quotient union intersection both either neither least most
    multiple divisor later earlier heated cooled older younger doubled halved rises falls""")
)
SPARE = frozenset(words("the a an then that in all now so just there its this these together altogether of"))
BRITISH = forms(
    words("""metres/meters litres/liters kilometres/kilometers colour/color centre/center grey/gray neighbour/neighbor
    neighbours/neighbors favourite/favorite modelled/modeled travelled/traveled labelled/labeled factorisation/factorization
    aluminium/aluminum caesium/cesium sulfur/sulphur fertiliser/fertilizer jeweller/jeweler theatre/theater harbour/harbor
    programme/program towards/toward whilst/while cancelled/canceled catalogue/catalog plough/plow metre/meter litre/liter
    organise/organize recognised/recognized subsidised/subsidized behaviour/behavior honour/honor""")
)
CONTRACTIONS = (("What is", "What's"), ("do not", "don't"), ("does not", "doesn't"), ("is not", "isn't"), ("cannot", "can't"),
                 ("It is", "It's"), ("who is", "who's"), ("they are", "they're"), ("are not", "aren't"))  # fmt: skip
SYNONYMS = forms(
    phrases("""buys/purchases; gives/hands; keeps/holds/stores; Find/Determine/Calculate/Work out; Compute/Calculate/Work out;
    How many/What number of; in all/in total/altogether; at random/randomly; is equal to/equals; whole/entire; begins/starts;
    needs/requires; the same/an identical; takes/requires; gets/receives; costs/is priced at;
    large/big; small/little; quickly/fast; together/jointly; then/afterwards/after that; Later/Afterwards/Some time later; now/at present/currently; likes to/enjoys to;
    also/as well; Let/Suppose that/Assume that; Given/Consider; satisfy/fulfil; real number/real value; is divided by/gets divided by; positive divisors/positive factors;
    children/kids; pupils/students; teacher/instructor; shop/store; house/home; car/automobile; road/street; money/cash; earn/make; picture/image; sold/vended;
    begin/start; choose/select; chosen/selected; formed/made up; Which of the following/Which one of the following/Which among the following;
    Which of these/Which one of these; holds/contains; There are/We have; different/distinct; possible/conceivable; writes down/records/notes down; reach/arrive at;
    answer/result; shows/displays; amount/quantity; about/concerning/regarding; according to/in line with; argued/claimed/maintained;
    appear/come out; closest/nearest; famous/well known; discard/throw out; thrown away/discarded; damaged/broken; equally/evenly; end up with/finish with;
    travels/goes/moves; makes a journey/travels; Print/Output; Count/Tally; numbers/values; integers/whole numbers; tank/vessel; pays/hands over; expression/term;
    evaluate/compute; show that/prove that; must/has to; per hour/an hour; each week/every week/weekly; every day/each day/daily; students/pupils; price/cost;
    total/overall; average/mean; speed/pace; If/Provided that/In case; when/once; because/since; near/close to/next to; works as/is employed as; plan/intend;
    Solve/Find the solution of; obtained/gotten; line up/queue; ways/manners; exactly/precisely; rolls/throws; draws/takes""")
)
INTRODUCTIONS = (
    "Please solve the following problem.", "Here is a question for you.", "Consider the following situation carefully.",
    "Solve this step by step.", "Read the text and answer the question at its end.", "I need help with my homework:",
    "Can you help me with this one?", "Think carefully before you answer.", "The following problem is from a school contest.",
    "You are an expert. Answer the following.", "This task is about careful reading.", "Let's warm up with an exercise.",
)  # fmt: skip
INSTRUCTIONS = (
    "Put your answer in \\boxed{}.", "Please reason step by step, and put your final answer within \\boxed{}.",
    "Explain your reasoning.", "Give only the final answer.", "Show your work.", "Let's think step by step.",
    "Return your final response within \\boxed{}.", "Justify your answer briefly.", "Write the answer on the last line.",
    "Do not use a calculator.",
)  # fmt: skip
STOCK = (
    "Express your answer as a common fraction in lowest terms, and write it inside a box at the end of your solution.",
    "Which of the following statements about the passage is correct? Choose the best answer from the options that are given.",
    "Assume that all quantities are measured in SI units unless it is stated otherwise, and neglect air resistance and friction.",
    "If there is more than one possible answer, list all of them in increasing order, separated by commas and without spaces.",
    "Answer with the letter of the correct option only, and do not explain your choice or add any other words to it.",
    "Give your answer as an integer between 000 and 999, inclusive, as is the custom in contests of this kind.",
    "The first line of the input contains a single integer t, the number of test cases; the description of the test cases follows.",
    "For the purposes of this question, assume that every person acts rationally and has complete knowledge of all the rules.",
)  # fmt: skip

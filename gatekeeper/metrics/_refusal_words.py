"""How models decline, in lower case with straight apostrophes, as the branches of one alternation.

Each branch starts with a plain letter, so that the engine rejects most places in a text by one comparison.
"""

from __future__ import annotations

_CANNOT = (
    r"(?:can(?:no|')t|can not|could not|couldn't|(?:won't|will not)(?: be able to)?|"
    r"would not(?! (?:\w+ )?(?:recommend|advi[sc]e|advocate|suggest|encourage|describe))|"
    r"(?:am|'m) (?:\w+ly )?(?:unable|not able|not going|not willing|not allowed|not permitted) to)"
)
_DO_NOT = r"(?:do not|don't)"
_ADVERB = r"(?:\w+ly |also |just |really |ever |even |simply )?"
_OFFER = (
    r"(?:assist|help(?! but)|provide|comply|fulfil|do (?:that|this|so)|answer|generate|create|write|compose|produce|"
    r"engage|support|offer|give|share|discuss|participate|promote|endorse|condone|"
    r"recommend (?![^.!?]{0,40}enough)|advise|advocate|suggest|teach|explain|describe|tell (?:you|jokes|a)|"
    r"continue with|process|complete|respond|"
    r"encourage|facilitate|praise|speculate|judge|make (?:jokes|fun|any|a|judg|assumptions|moral)|express|guide|"
    r"agree|disclose|reveal|in good conscience|take (?:part|sides)|mimic|impersonate|pretend|form|justify|accept|"
    r"entertain|contribute|proceed|be (?:involved|part))"
)
_ABLE = (
    r"(?:access|browse|predict|verify|confirm|recall|remember|experience|feel|physically|perform|identify|"
    r"diagnose|determine|actually|draw|play|send|open)"
)
_OWN = (
    r"(?:the (?:ability|capability|capacity|necessary)|access|(?:any |enough |sufficient |a )?(?:personal|specific|"
    r"real-time|up-to-date|current|information|feelings|emotions|opinion|view|belief|physical|preference|knowledge))"
)
_MACHINE = r"(?:\w+ )?(?:ai|artificial intelligence|language model|llm)\b"
_IMPROPER = (
    r"(?:not (?:be )?(?:\w+ly )?(?:appropriate|ethical|acceptable|okay|proper|respectful|responsible)|"
    r"inappropriate|unethical)"
)

POLICY = (
    rf"i(?: |(?='m)){_CANNOT} {_ADVERB}{_OFFER}",
    r"i (?:must|have to|need to|will have to|am going to|should|will) (?:\w+ly )?(?:decline|refuse|refrain)",
    r"i'll (?:have to (?:decline|refuse)|refrain from)",
    r"i (?:\w+ly )?(?:decline|refuse) to\b",
    r"i(?:'d| would) (?:rather not|prefer not to)\b",
    (
        rf"i {_DO_NOT} (?:\w+ly )?(?:condone|promote|endorse|encourage|engage in|feel comfortable|support (?:or|any)|"
        r"create (?:biased|harmful|offensive))"
    ),
    r"i(?:'m| am) not (?:programmed|designed|comfortable|trained|authori[sz]ed|equipped) (?:to|with|for)\b",
    (
        rf"sorry[,.!]? (?:but )?(?:(?:i|as an ai|this|that)[\w ,']{{0,40}}? )?(?:can't|cannot|unable to|not able to) "
        rf"{_ADVERB}(?:{_OFFER}|{_ABLE})"
    ),
    r"against my (?:\w+ )?(?:programming|guidelines|polic|principles|values|ethic|purpose|design|rules|nature)",
    rf"it(?<!while it)(?: is|'s| would be| would) (?:\w+ly )?{_IMPROPER}[^.!?]{{0,40}}? (?:to|for me)\b",
    rf"th(?:at|is) (?:is|would be) (?:\w+ly )?{_IMPROPER}[^.!?]{{0,40}}? (?:to|for me)\b",
    (
        r"(?:your|this|that) (?:request|prompt|question|query) (?:\w+ ){0,5}?(?:inappropriate|not appropriate|violates|"
        r"goes against|unethical|harmful)"
    ),
    r"my (?:programming|guidelines)[^.!?]{0,60}? (?:prevent|prohibit|forbid|(?:do not|don't|does not) allow)",
    (
        r"(?:illegal|unlawful|a crime|criminal|unethical|immoral)\b[^!?]{0,120}? i (?:\w+ )?"
        r"(?:advise|discourage|urge|caution)\b[^.!?]{0,20}? (?:against|from|not to)\b"
    ),
    r"(?:have been|am|'m|was) (?:designed|programmed|trained|instructed) to (?:avoid|decline|refuse|refrain)",
    r"violates? (?:my|our|safety|content|usage) (?:\w+ )?(?:polic|guideline|terms|principle)",
    r"nope,? (?:i )?(?:can't|won't|cannot)\b",
    r"unable to (?:assist|help|comply|fulfil|provide|answer)",
    r"can(?:no|')t (?:assist|help) (?:you )?with\b",
    r"(?:is|was)?n(?:o|')t (?:something|a topic|a subject) (?:that )?i(?:'m| can| will| am)\b",
    (
        r"(?:something|topic|subject) (?:that )?i "
        r"(?:(?:can|will) ?not|can't|won't|do not|don't|am not|must avoid|have to avoid)\b"
    ),
    r"beyond what i (?:can|am)\b",
    r"no[,.!] i (?:won't|will not|can't|cannot)\b",
    (
        r"i (?:would |must |have to )?(?:strongly |highly )?(?:advise|recommend|discourage|urge|caution)\b"
        r"[^.!?]{0,30}? (?:against|not to|from)\b[^!?]{0,120}?\b(?:illegal|unlawful|crime|criminal|unethical|immoral)"
    ),
    r"let's (?:talk about something|discuss something|change the (?:subject|topic))",
)
"""Will not: what the model says it must or does not want to do."""

CAPABILITY = (
    rf"i(?: |(?='m)){_CANNOT} {_ADVERB}{_ABLE}",
    r"i(?:'m| am) not capable of\b",
    rf"i {_DO_NOT} actually (?:have|know|possess)",
    (
        r"(?:i have|there(?: i|')s) no (?:way (?:for me to|of) know|"
        r"information (?:available )?(?:to me|on|about|regarding))"
    ),
    rf"as an? {_MACHINE}[^.!?]{{0,60}}? (?:can(?:no|')t|unable to|not able to|not capable)\b",
)
"""Cannot: what the model says it has no means for."""

DISCLAIMER = (
    rf"i {_DO_NOT} (?:\w+ly )?(?:have|possess|hold) {_OWN}",
    (
        rf"as an? {_MACHINE}[^.!?]{{0,120}}? (?:{_DO_NOT} (?:have|possess|hold|take|experience)|lack|"
        r"remain(?:ing)? (?:neutral|impartial))"
    ),
    rf"ai (?:language model|assistant|model)?[^.!?]{{0,40}}? (?:and|so) (?:i )?{_DO_NOT} (?:have|possess|hold)",
)
"""Says what it is; a refusal only when no answer follows."""

LETTER = r"(?:subject:|dear (?!user|customer|friend|sir or madam, as an ai)[^\n,]{1,40}[,:\n])"
"""A letter that was asked for: whoever declines in it is not the model."""

QUOTED = r'(?<=[\s(:,])"[^"\n]{1,200}"'
"""What somebody else says."""

CONCESSION = (
    r"\b(?:while|(?:al)?though) i"
    r"(?:'m not| am not| do not| don't| can ?not| can't| would(?:n't| not)| have(?:n't| not)) [^.!?,\n]{0,30}?\b"
    r"(?:predict|foresee|condone|endorse|promote|encourage|advocate|agree|feel|taste|see|hear|eat|experience|sure|"
    r"certain|verify|an? [\w ]{1,30}|(?:personal|physical|real|human) \w+|feelings|emotions|opinions|preferences)"
    r"[^.!?,\n]{0,60},"
)
"""What is granted before the answer comes."""

OPINION = r"\b(?:opinion|view|belief|feeling|emotion|preference|judg|experience|generali[sz]|speak for)"
"""A thing withheld that makes the sentence a disclaimer."""

GOES_ON = (
    r"\b(?:however|instead|that said|nevertheless|but (?:i|here|if|some|many|most|there|the|it|generally|in general|"
    r"according|based|to answer|for general)\b|here (?:is|are)\b|with that (?:said|in mind))|\n\s*(?:1[.)]|[-*]) "
)
"""A turn after which an answer follows."""

CUES = frozenset(
    b"no not never cannot unable sorry against ai wrong crime strongly illegal illegally unethical inappropriate"
    b" unacceptable harmful dangerous lack".split()
)
STEMS = (
    "n't",
    "language model",
    "apolog",
    "declin",
    "refus",
    "refrain",
    "violat",
    "avoid",
    "my programming",
    "my guidelines",
    "remain neutral",
    "remain impartial",
    "remaining neutral",
    "remaining impartial",
    "let's talk",
    "let's discuss",
    "let's change",
    "beyond what i ",
)
"""Words, and parts of words, without which nothing is declined: a text without any is not judged further, and no
pattern holds in it."""

LACKS = (
    r"\b(?:(?:do not|don't|not) (?:\w+ )?(?:have|possess|hold|know|able|capable|aware)|knowledge|information|no access|"
    r"real-time|physical|just an ai|can(?:no|')t (?:access|predict|feel|experience))"
)
"""Says what the model has no means for: the reason of a refusal that no pattern knows."""

"""Cxx: what was written means something else, or gives too much away."""

from pointsman.doctor.check import DOWNS, MISROUTES, SILENT, Check
from pointsman.resources.problem import Severity

NOT_ENFORCED = Check(
    "C01",
    Severity.WARNING,
    MISROUTES,
    "a field has no effect",
    "It is accepted, and nothing acts upon it in this place.",
)
NOT_READ = Check(
    "C02",
    Severity.ERROR,
    DOWNS | MISROUTES,
    "what was written cannot be used",
    "The document or the field is not what it has to be: a wrong key, type, unit or value. What is "
    "not used is not served.",
)
GIVEN_AWAY = Check(
    "C03",
    Severity.WARNING,
    SILENT,
    "a secret is written in clear where many can read it",
    "Logs are kept longer and read by more people than credentials should be. Whoever reads one "
    "can call as its owner.",
)
CLOCKS_APART = Check(
    "C04",
    Severity.WARNING,
    DOWNS | MISROUTES,
    "clocks of machines are apart",
    "Tokens and certificates are good from one moment to another: a clock that is wrong takes them "
    "too early or too late, and what was active when a request came is not told rightly.",
)

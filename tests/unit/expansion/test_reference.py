import numpy as np

from jevons.expansion._reference import model

WRITTEN = """\
max

obj:

+273.9375 served(seg0,2025-Q1,0)#2
-45.65625 busy(seg0,dev0,site0,2025-Q1,slot0)#3
-1095.75 training(dev0,site0,2025-Q1)#4
-10100.0 orders(dev0,site0,2025-Q1)#0


s.t.

calls(seg0,2025-Q1)#0:
+4.166666666666667 busy(seg0,dev0,site0,2025-Q1,slot0)#3
-1.0 served(seg0,2025-Q1,0)#2
= -0.0
slots(seg0,2025-Q1,slot0)#1:
+4.166666666666667 busy(seg0,dev0,site0,2025-Q1,slot0)#3
-1.0 served(seg0,2025-Q1,0)#2
>= -0.0
capacity(dev0,site0,2025-Q1,slot0)#2:
+1.0 busy(seg0,dev0,site0,2025-Q1,slot0)#3
+24.0 training(dev0,site0,2025-Q1)#4
-24.0 orders(dev0,site0,2025-Q1)#0
<= -0.0
reserve(2025-Q1)#3:
+1000000000000000.0 training(dev0,site0,2025-Q1)#4
>= 2000000000000000.0
supply(dev0,2025-Q1)#4:
+1.0 orders(dev0,site0,2025-Q1)#0
<= 100.0
power(site0,2025-Q1)#5:
+1000.0 orders(dev0,site0,2025-Q1)#0
-1.0 additions(site0,2025-Q1)#1
<= 1000000.0
limit(site0,2025-Q1)#6:
+1.0 additions(site0,2025-Q1)#1
<= -0.0
budget(2025-Q1)#7:
+10000.0 orders(dev0,site0,2025-Q1)#0
+1.0 carried(2025-Q1)#5
= 1000000.0
"""


def rules(text):
    """Return each rule's name, terms without numbering and bound; the writer's spacing does not matter."""
    lines = [line.split("#")[0].strip().replace("-0.0", "0.0") for line in text.splitlines()]
    return [line for line in lines if line]


def test_the_written_program_of_the_smallest_problem_reads_as_its_rules_say(make_problem, tmp_path):
    written = model(make_problem(quarters=1, blocks=1, training_flop_per_s=np.array([2e15])))
    path = tmp_path / "tiny.lp"
    written.to_file(path, explicit_coordinate_names=True, progress=False)
    assert rules(path.read_text().split("bounds")[0]) == rules(WRITTEN)

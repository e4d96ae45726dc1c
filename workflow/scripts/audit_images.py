"""Rule audit_images: how many images every target class has, and which classes are kept."""

from headstart.jobs.logs import follow

follow(snakemake.log[0])

from pathlib import Path

import pandas as pd

from headstart.data.audit import audit_classes, kept_images, require_two, say_listed
from headstart.data.doubles import count_shared, read_digests, say_shared
from headstart.data.lists import read_lists
from headstart.data.splits import Wanted
from headstart.jobs.files import write_table

classes = pd.read_csv(snakemake.input.classes, keep_default_na=False)
targets = classes[classes["role"] == "target"]
audits = {Path(path).name.split(".")[0]: pd.read_csv(path, keep_default_na=False) for path in snakemake.input.audits}
lists = read_lists([Path(path) for path in snakemake.input.lists])
params, digests = snakemake.params, read_digests(snakemake.input.digests)

audit = audit_classes(
    targets["wnid"],
    audits,
    lists,
    # How many test images there may be beyond those needed is no question of the audit.
    Wanted(params.train, params.validation, test=params.test_min, test_min=params.test_min, parted=params.parted),
    on_missing=params.on_missing,
    shown=params.shown,
)
audit = count_shared(audit, digests)
print(*say_shared(digests, dict(zip(targets["wnid"], targets["lemmas"], strict=True))), sep="\n")
print(audit.to_string(index=False), *say_listed(audit), sep="\n")
require_two(audit)
write_table(audit, snakemake.output.audit)
write_table(targets[targets["wnid"].isin(audit.loc[audit["kept"], "wnid"])], snakemake.output.targets)
write_table(kept_images(audit, audits, lists), snakemake.output.images)

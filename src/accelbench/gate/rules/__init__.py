"""All rules, by theme, in the order of their ids."""

from accelbench.gate.rules import compliance, evidence, form, machine, quality, recomputed, tasks, timed

RULES = (
    *(form.manifest, form.version, form.readable, form.nothing_else, form.place, form.under_task, form.contact),
    *(form.embargo, form.listed, form.nobody, form.nothing_private),
    *(tasks.roster, tasks.of_roster, tasks.every_regular, tasks.enough, tasks.own_weights, tasks.own_tolerance),
    tasks.all_samples,
    *(machine.catalogued, machine.devices, machine.instances, machine.one_machine, machine.tried),
    machine.recognised,
    *(evidence.verifies, evidence.signed, evidence.one_signer, evidence.locked, evidence.installs, evidence.command),
    *(evidence.probed, evidence.custody, evidence.adapter, evidence.all_locked, evidence.known_key),
    *(timed.measured, timed.valid, timed.ended_well, timed.stop_rule, timed.audited),
    *(quality.reference, quality.judged, quality.within, quality.plausible, quality.precision, quality.sparsity),
    *(recomputed.columns, recomputed.schedule, recomputed.ended, recomputed.accuracy, recomputed.agreed),
    *(recomputed.recomputable, recomputed.drift, recomputed.covered),
    *(compliance.same_outputs, compliance.unseen, compliance.no_cache, compliance.another_seed),
    compliance.same_speed,
)

"""Rooms that curate; `TABLE` names the filters, `MARKERS` what masks turns, and `CURRICULA` the orders of training."""

TABLE: dict[str, str] = {
    "solved": "filters.solved:Solved",
    "score": "filters.score:Score",
    "topics": "filters.topics:Topics",
    "length": "filters.length:Length",
    "duplicate": "filters.duplicate:Duplicate",
    "near_duplicate": "filters.near_duplicate:NearDuplicate",
    "pass_rate": "filters.pass_rate:PassRate",
    "decontaminate": "filters.decontaminate:Decontaminate",
    "format": "filters.format:Format",
    "teacher_identity": "filters.teacher_identity:TeacherIdentity",
    "foreign_script": "filters.foreign_script:ForeignScript",
    "secrets": "filters.secrets:Secrets",
    "personal_data": "filters.personal_data:PersonalData",
    "repetition": "filters.repetition:Repetition",
    "reward_hacks": "filters.reward_hacks:RewardHacks",
    "forbidden_execution": "filters.swe.forbidden_execution:ForbiddenExecution",
    "step_limit": "filters.swe.step_limit:StepLimit",
    "empty_patch": "filters.swe.empty_patch:EmptyPatch",
    "held_out_edits": "filters.swe.held_out_edits:HeldOutEdits",
    "call_cardinality": "filters.swe.call_cardinality:CallCardinality",
    "editor_errors": "filters.swe.editor_errors:EditorErrors",
    "looks_for_answer": "filters.swe.looks_for_answer:LooksForAnswer",
    "submission": "filters.process.submission:Submission",
    "forbidden_git": "filters.process.forbidden_git:ForbiddenGit",
    "edit_test_loop": "filters.process.edit_test_loop:EditTestLoop",
    "explore_only": "filters.process.explore_only:ExploreOnly",
    "malformed_calls": "filters.process.malformed_calls:MalformedCalls",
    "debug_residue": "filters.process.debug_residue:DebugResidue",
    "untested_edit": "filters.process.untested_edit:UntestedEdit",
}

MARKERS: dict[str, str] = {
    "errors": "filters.markers.errors:Errors",
    "repeats": "filters.markers.repeats:Repeats",
    "unfinished": "filters.markers.unfinished:Unfinished",
}

CURRICULA: dict[str, str] = {
    "mixed": "filters.mixed:Mixed",
    "staged": "filters.curricula.staged:Staged",
    "easy_to_hard": "filters.curricula.easy_to_hard:EasyToHard",
    "bands": "filters.curricula.bands:Bands",
    "control": "filters.curricula.control:Control",
}

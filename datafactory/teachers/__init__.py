"""Teachers that need nothing of the rooms; `TABLE` says which names a pipeline file may use."""

TABLE: dict[str, str] = {
    "openai": "datafactory.teachers.openai:OpenAITeacher",
    "vllm": "datafactory.teachers.vllm.teacher:VLLMTeacher",
    "scripted": "datafactory.teachers.scripted:ScriptedTeacher",
    "mix": "datafactory.teachers.mix:MixTeacher",
    "oracle": "datafactory.teachers.oracle:OracleTeacher",
    "judge_rules": "datafactory.teachers.judge_rules:JudgeRules",
    "vllm_offline": "datafactory.teachers.vllm.offline:VLLMOfflineTeacher",
}

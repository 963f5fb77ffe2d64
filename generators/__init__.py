"""Rooms that make drafts; `TABLE` says which names a pipeline file may use."""

TABLE: dict[str, str] = {
    "terminal_skills": "generators.terminal_skills:TerminalSkills",
    "terminal_adapters": "generators.terminal_adapters:TerminalAdapters",
    "terminal_seeds": "generators.terminal_seeds:TerminalSeeds",
    "terminal_llm_skills": "generators.terminal_llm_skills:TerminalLLMSkills",
    "swe_commits": "generators.swe.swe_commits:SWECommits",
    "swe_instances": "generators.swe.swe_instances:SWEInstances",
    "swe_llm_bugs": "generators.swe.swe_llm_bugs:SWELLMBugs",
    "swe_mutations": "generators.swe.swe_mutations:SWEMutations",
    "search_agent": "generators.search.search_agent:SearchAgent",
    "search_paths": "generators.search.search_paths:SearchPaths",
    "harbor_tasks": "generators.harbor_tasks:HarborTasks",
}

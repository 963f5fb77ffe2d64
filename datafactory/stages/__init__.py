"""The verbs of a pipeline; `TABLE` says which names a pipeline file may use."""

TABLE: dict[str, str] = {
    "gather": "datafactory.stages.gather:Gather",
    "synthesize": "datafactory.stages.synthesize:Synthesize",
    "appraise": "datafactory.stages.appraise:Appraise",
    "rollout": "datafactory.stages.rollout:Rollout",
    "verify": "datafactory.stages.verify:Verify",
    "judge": "datafactory.stages.judge:Judge",
    "compare": "datafactory.stages.compare:Compare",
    "pivot": "datafactory.stages.pivot:FindPivots",
    "cluster": "datafactory.stages.cluster:Cluster",
    "mask": "datafactory.stages.mask:Mask",
    "select": "datafactory.stages.select:Select",
    "arrange": "datafactory.stages.arrange:Arrange",
    "train": "datafactory.stages.train:Train",
    "evaluate": "datafactory.stages.evaluate:Evaluate",
}

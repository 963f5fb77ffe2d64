"""Which fixtures and skills make up each of the nine domains (the names of arXiv 2602.21193, section 3.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

SHAPING = ("drop_duplicates", "derive_column", "running_total", "cross_tabulate", "choose_columns")
ASKING = ("filter_rows", "group_totals", "top_rows", "join_lookup", "exclude_listed", "distinct_values")
WORDING = ("count_words", "sort_unique", "measure_lines", "fingerprint_lines", "select_lines", "index_initials")
FINISHING = ("seal_products", "bundle_products", "link_latest", "protect_products", "count_products")


@dataclass(frozen=True, slots=True)
class Domain:
    """What tasks of a domain are made of; at least half of a chain comes from `home`."""

    fixtures: tuple[str, ...]
    home: tuple[str, ...]
    shared: tuple[str, ...]


TAXONOMY: dict[str, Domain] = {
    "data_processing": Domain(
        fixtures=(
            "messy_table",
            "messy_table",
            "tidy_table",
            "nested_records",
            "broken_records",
            "word_list",
            "web_log",
        ),
        home=(
            "clean_table",
            *SHAPING,
            "count_by_month",
            "table_to_records",
            "repair_records",
            "flatten_records",
            "explode_tags",
            "tally_requests",
            *WORDING,
        ),
        shared=(*ASKING, "impute_missing", *FINISHING),
    ),
    "data_querying": Domain(
        fixtures=("tidy_table", "tidy_table", "nested_records", "routes", "web_log"),
        home=(
            *ASKING,
            "cross_tabulate",
            "flatten_records",
            "explode_tags",
            "tally_records",
            "reachable_nodes",
            "cheapest_costs",
            "count_degrees",
            "tally_requests",
            "rank_failures",
        ),
        shared=("choose_columns", "drop_duplicates", "table_to_records", "count_by_month", "sort_unique", *FINISHING),
    ),
    "data_science": Domain(
        fixtures=("predictions", "predictions", "tidy_table", "messy_table"),
        home=(
            "impute_missing",
            "bin_values",
            "scale_column",
            "encode_one_hot",
            "split_train_test",
            "describe_columns",
            "correlate_columns",
            "flag_outliers",
            "apply_threshold",
            "confusion_matrix",
        ),
        shared=(
            "clean_table",
            "drop_duplicates",
            "derive_column",
            "filter_rows",
            "group_totals",
            "column_to_series",
            "smooth_series",
            *FINISHING,
        ),
    ),
    "debugging": Domain(
        fixtures=("buggy_module", "buggy_module", "buggy_module", "service_log", "broken_records", "layered_settings"),
        home=(
            "fix_module",
            "list_disagreements",
            "run_tool",
            "tabulate_tool",
            "triage_errors",
            "time_requests",
            "rank_sources",
            "repair_records",
            "merge_settings",
            "compare_settings",
            "flag_outliers",
        ),
        shared=(
            *ASKING,
            "flatten_records",
            "explode_tags",
            "wrap_pipeline",
            "export_environment",
            "count_words",
            "measure_lines",
            "sort_unique",
            "describe_columns",
            *FINISHING,
        ),
    ),
    "dependency_management": Domain(
        fixtures=("package_index", "package_index", "requirements", "dependencies"),
        home=(
            "parse_requirements",
            "resolve_minimal",
            "latest_versions",
            "requirement_edges",
            "compare_installed",
            "audit_advisories",
            "order_topologically",
            "longest_chains",
            "reachable_nodes",
        ),
        shared=(
            "count_degrees",
            "cheapest_costs",
            "filter_rows",
            "top_rows",
            "group_totals",
            "distinct_values",
            "choose_columns",
            "table_to_records",
            "fingerprint_lines",
            "index_initials",
            *FINISHING,
        ),
    ),
    "file_operations": Domain(
        fixtures=("file_drop", "file_drop", "packed_drop"),
        home=(
            "extract_archive",
            "rename_files",
            "organise_by_extension",
            "prune_files",
            "inventory_files",
            "group_duplicates",
            "set_modes",
            "merge_texts",
            *FINISHING,
        ),
        shared=("top_rows", "audit_modes", "verify_checksums", *WORDING),
    ),
    "scientific_computing": Domain(
        fixtures=("measured_series", "measured_series", "measured_series", "square_matrix", "tidy_table"),
        home=(
            "strip_comments",
            "smooth_series",
            "convert_units",
            "remove_trend",
            "resample_series",
            "differentiate_series",
            "integrate_series",
            "find_peaks",
            "solve_system",
            "describe_matrix",
            "invert_matrix",
            "column_to_series",
            "correlate_columns",
        ),
        shared=("flag_outliers", "describe_columns", "filter_rows", "choose_columns", *FINISHING),
    ),
    "security": Domain(
        fixtures=(
            "auth_log",
            "auth_log",
            "settings_tree",
            "settings_tree",
            "encoded_messages",
            "signed_messages",
            "web_log",
            "tidy_table",
        ),
        home=(
            "count_refusals",
            "find_breaches",
            "match_networks",
            "find_secrets",
            "redact_secrets",
            "verify_checksums",
            "audit_modes",
            "rank_failures",
            "pseudonymise_names",
            "decode_messages",
            "find_forgeries",
            "accept_genuine",
            "tally_senders",
            "fingerprint_lines",
            "seal_products",
            "protect_products",
        ),
        shared=(
            "tally_requests",
            "inventory_files",
            "set_modes",
            "filter_rows",
            "group_totals",
            "exclude_listed",
            "top_rows",
            "distinct_values",
            "drop_duplicates",
            "sort_unique",
            "index_initials",
            "bundle_products",
            "count_products",
        ),
    ),
    "software_engineering": Domain(
        fixtures=("assignment", "assignment", "source_tree", "source_tree", "commit_list", "layered_settings"),
        home=(
            "write_tool",
            "run_tool",
            "tabulate_tool",
            "wrap_pipeline",
            "find_remarks",
            "trace_imports",
            "index_functions",
            "rename_function",
            "merge_settings",
            "compare_settings",
            "export_environment",
            "tabulate_commits",
            "bump_version",
            "draft_changelog",
        ),
        shared=(
            "order_topologically",
            "longest_chains",
            "count_degrees",
            "filter_rows",
            "group_totals",
            "distinct_values",
            "count_words",
            "measure_lines",
            "sort_unique",
            "table_to_records",
            *FINISHING,
        ),
    ),
}

DOMAINS_OF = Counter(name for domain in TAXONOMY.values() for name in dict.fromkeys((*domain.home, *domain.shared)))
"""In how many domains a skill may occur."""

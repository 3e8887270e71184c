--
-- PostgreSQL database dump
--

CREATE SCHEMA stig;
COPY stig.runs (id, skill, started_at, config) FROM stdin;
5e6f7a8b-9c0	stig-rhel9	2026-04-16 08:00:00.25+00	{"loop": {"max_iterations": 4}}
\.

COPY stig.work_items (run_id, item_id, title, category, outcome, attempts) FROM stdin;
5e6f7a8b-9c0	content_rule_sysctl_kernel_dmesg	Restrict dmesg	kernel	completed	2
\.

COPY stig.attempts (run_id, item_id, attempt_num, approach, eval_passed, failure_mode, reflection, lesson, created_at) FROM stdin;
5e6f7a8b-9c0	content_rule_sysctl_kernel_dmesg	1	set it for now\nand hoped	f	health=True rule=False journal=True	it must last	write a file	2026-04-16 08:02:00+00
\.

COPY stig.tips (id, text, tip_type, mechanism, trigger_conditions, source_run_id, source_rule_id, retired_at, retired_reason) FROM stdin;
3	Write a file below sysctl.d.	recovery	It is read at boot.	{sysctl,"a, b"}	5e6f7a8b-9c0	content_rule_sysctl_kernel_dmesg	\N	\N
\.

package build

import (
	"bulwark"
	"bulwark/check/internal/misconfig"
)

// Rule is what the check looks for, and why.
type Rule = misconfig.Rule

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// The rules about GitHub's workflows and actions. Their ids elsewhere are those of zizmor
// and poutine.
var (
	injection = Rule{ID: "ci/template-injection", Severity: high, Title: "What a stranger writes becomes part of a script",
		Tags: []string{"zizmor:template-injection", "poutine:injection", "attack:T1059"}, Fix: "hand it over as a variable: env: TITLE: ${{ ... }}, and use \"$TITLE\" in the script",
		Why: "the text is put into the script before the shell reads it, so a title such as $(...) runs with the job's token and secrets; medium where the run has neither " +
			"(pull_request) or the writer has rights already (push)",
		Noise: "a repository whose issues and pull requests only members may open"}
	inputInjection = Rule{ID: "ci/input-injection", Severity: low, Hygiene: true, Title: "An input becomes part of a script",
		Tags: []string{"zizmor:template-injection"}, Fix: "hand it over as a variable of the environment",
		Why: "who may start the workflow, or calls the action with a value from elsewhere, runs commands with it; low, because starting needs rights", Noise: "inputs that callers fix"}
	unpinnedAction = Rule{ID: "ci/unpinned-action", Severity: medium, Title: "A third party's action is not pinned to a commit",
		Tags: []string{"zizmor:unpinned-uses", "poutine:unpinnable_action", "attack:T1195.001"}, Fix: "name the commit: owner/name@40-hex # v1.2.3",
		Why: "whoever takes over that repository moves the tag, and runs with this job's token and secrets, as happened to tj-actions/changed-files (CVE-2025-30066)", Noise: "actions of one's own organisation"}
	unpinnedOfficial = Rule{ID: "ci/unpinned-official-action", Severity: low, Hygiene: true, Title: "An action of GitHub is not pinned to a commit",
		Tags: []string{"zizmor:unpinned-uses"}, Fix: "name the commit: actions/checkout@40-hex # v4", Why: "GitHub runs the job anyway, so little is gained; low", Noise: "most people trust these tags"}
	unpinnedImage = Rule{ID: "ci/unpinned-image", Severity: low, Hygiene: true, Title: "The image that a job runs in is not pinned",
		Tags: []string{"zizmor:unpinned-images"}, Fix: "name:tag@sha256:...", Why: "whoever controls the tag runs with the job's secrets", Noise: "services of tests"}
	untrustedCheckout = Rule{ID: "ci/untrusted-checkout", Severity: high, Title: "A privileged run checks out a stranger's code",
		Tags: []string{"zizmor:dangerous-triggers", "poutine:untrusted_checkout_exec", "attack:T1195.002"},
		Fix:  "run it on pull_request, without secrets; or do not run anything of what was checked out",
		Why:  "the run has a token that may write and all secrets, and the code of a fork; critical when a later step runs that code (build, test, install), whose scripts it holds", Noise: "the code is only read, or a label or an environment with reviewers must be given first"}
	dangerousTrigger = Rule{ID: "ci/dangerous-trigger", Severity: low, Hygiene: true, Title: "The workflow runs with secrets on what strangers do",
		Tags: []string{"zizmor:dangerous-triggers"}, Fix: "use pull_request where that is enough", Why: "easily made dangerous by the next change", Noise: "labelling and greeting need it"}
	envWrite = Rule{ID: "ci/github-env", Severity: medium, Title: "A privileged run writes the environment of later steps from data",
		Tags: []string{"zizmor:github-env", "attack:T1574.007"}, Fix: "write to GITHUB_OUTPUT, or check the value first",
		Why: "a line break in the value sets other variables, LD_PRELOAD or PATH among them; high when the value is a stranger's", Noise: "the value comes from the workflow's own code"}
	writeAll = Rule{ID: "ci/write-all", Severity: medium, Title: "The token may write everything",
		Tags: []string{"zizmor:excessive-permissions"}, Fix: "permissions: contents: read, and what each job needs beside",
		Why: "every action and script of the run may push code, change releases and approve its own changes", Noise: "none is known"}
	riskyDefault = Rule{ID: "ci/risky-permissions", Severity: medium, Title: "A run that strangers start has the repository's default rights",
		Tags: []string{"zizmor:excessive-permissions", "poutine:default_permissions_on_risky_events"}, Fix: "permissions: {} at the top, and what each job needs beside",
		Why: "the default of older organisations and repositories is to write everything", Noise: "the default was set to read"}
	noPermissions = Rule{ID: "ci/no-permissions", Severity: low, Hygiene: true, Title: "No permissions are set",
		Tags: []string{"zizmor:excessive-permissions"}, Fix: "permissions: contents: read at the top", Why: "the token has what the repository's settings say, which no reader of the file knows", Noise: "the default was set to read"}
	inherit = Rule{ID: "ci/secrets-inherit", Severity: medium, Title: "All secrets are handed to another workflow",
		Tags: []string{"zizmor:secrets-inherit"}, Fix: "name those that it needs", Why: "a flaw there gives away secrets that it never needed; low for workflows of the same repository", Noise: "the workflow is one's own"}
	allSecrets = Rule{ID: "ci/all-secrets", Severity: high, Title: "All secrets are put into one value",
		Tags: []string{"zizmor:overprovisioned-secrets", "poutine:job_all_secrets"}, Fix: "name the secrets that are needed", Why: "every secret of repository and organisation lies in the memory of the runner and of that step", Noise: "none is known"}
	unredacted = Rule{ID: "ci/unredacted-secret", Severity: medium, Title: "A part of a secret is not masked in logs",
		Tags: []string{"zizmor:unredacted-secrets"}, Fix: "make each part a secret of its own", Why: "GitHub masks the whole value of a secret; what fromJSON takes out of it appears in logs", Noise: "the part is no secret"}
	outsideEnvironment = Rule{ID: "ci/secret-outside-environment", Severity: low, Hygiene: true, Title: "A secret is used without an environment",
		Tags: []string{"zizmor:secrets-outside-env"}, Fix: "environment: with protection rules", Why: "any branch's workflow may use it", Noise: "secrets for tests"}
	persist = Rule{ID: "ci/persist-credentials", Severity: low, Hygiene: true, Title: "The checkout leaves the token in .git/config",
		Tags: []string{"zizmor:artipacked"}, Fix: "with: persist-credentials: false", Why: "later steps and uploaded artifacts can take it along; medium where the whole folder is uploaded", Noise: "the job pushes"}
	cachePoison = Rule{ID: "ci/cache-poisoning", Severity: medium, Title: "A release is built with a shared cache",
		Tags: []string{"zizmor:cache-poisoning"}, Fix: "build releases without a cache (cache: false)", Why: "whoever gets code into a run on the default branch fills the cache, and is part of the release; medium, because that must come first", Noise: "the cache holds nothing that is released"}
	selfHosted = Rule{ID: "ci/self-hosted-pr", Severity: high, Title: "Pull requests run on a machine of one's own",
		Tags: []string{"zizmor:self-hosted-runner", "poutine:pr_runs_on_self_hosted", "attack:T1195.002"}, Fix: "run pull requests on hosted or one-time runners",
		Why: "a fork's code runs on the machine and may stay on it for the next run", Noise: "private repositories, and runners that live for one job"}
	insecureCommands = Rule{ID: "ci/insecure-commands", Severity: high, Title: "Output may set variables again",
		Tags: []string{"zizmor:insecure-commands"}, Fix: "write to GITHUB_ENV", Why: "anything that prints a line can set LD_PRELOAD or PATH (CVE-2020-15228)", Noise: "none is known"}
	debugOn = Rule{ID: "ci/debug", Severity: low, Title: "Debug output is on", Tags: []string{"poutine:debug_enabled"}, Fix: "set it for one run, when asked to",
		Why: "debug logs show values that are not masked; low, because masking still works for whole secrets", Noise: "a private repository"}
	unsoundContains = Rule{ID: "ci/unsound-contains", Severity: medium, Title: "contains() with a text lets parts of words pass",
		Tags: []string{"zizmor:unsound-contains"}, Fix: "contains(fromJSON('[\"a\", \"b\"]'), value)", Why: "contains('main develop', 'dev') is true, so a branch of that name passes the condition", Noise: "the value cannot be chosen"}
	alwaysTrue = Rule{ID: "ci/always-true", Severity: medium, Title: "A condition that is always true",
		Tags: []string{"zizmor:unsound-condition", "poutine:if_always_true"}, Fix: "write the condition without ${{ }}, on one line or with >-", Why: "text around ${{ }}, a line break too, makes a non-empty text of it, which counts as true: the guard guards nothing", Noise: "none is known"}
	botActor = Rule{ID: "ci/bot-condition", Severity: medium, Title: "The last actor is taken for the author",
		Tags: []string{"zizmor:bot-conditions"}, Fix: "github.event.pull_request.user.login", Why: "github.actor is who caused the event last: a stranger's commit on a bot's branch, or a bot made to touch a stranger's, passes", Noise: "the job only labels"}
	autoMerge = Rule{ID: "ci/auto-merge", Severity: high, Title: "Strangers' changes may be merged in a bot's name",
		Tags: []string{"poutine:confused_deputy_auto_merge", "zizmor:bot-conditions"}, Fix: "check github.event.pull_request.user.login and dependabot/fetch-metadata", Why: "the merge hangs on github.actor alone, which a stranger can make a bot", Noise: "branch protection wants a review anyway"}
	publishToken = Rule{ID: "ci/publish-token", Severity: low, Hygiene: true, Title: "Packages are published with a lasting token",
		Tags: []string{"zizmor:use-trusted-publishing"}, Fix: "trusted publishing (id-token: write) of PyPI, npm, crates.io or RubyGems", Why: "a token that leaks publishes until somebody notices", Noise: "a private index"}
	unpinnedTool = Rule{ID: "ci/unpinned-tool", Severity: low, Hygiene: true, Title: "A tool is installed without a version",
		Tags: []string{"zizmor:unpinned-tools", "zizmor:adhoc-packages"}, Fix: "name the version, best in a lock file", Why: "each run takes the newest, that of the day on which an account was taken over too; low, because nothing is open by it", Noise: "tools that are raised on purpose; the first package of a line alone is told"}
	refMismatch = Rule{ID: "ci/ref-version-mismatch", Severity: low, Title: "The comment on an action says another version",
		Tags: []string{"zizmor:ref-version-mismatch"}, Fix: "find out which release the commit is of, and write that", Why: "reviewers and update bots believe the comment: an old release, or a commit of nobody's release, stays unseen; low, because the lines may merely be out of date. " +
			"Two lines about one commit are compared, and a tag with its comment; which release a commit is of only GitHub tells", Noise: "several tags on one commit"}
	dependabotRuns = Rule{ID: "ci/dependabot-execution", Severity: medium, Title: "Dependabot may run code of dependencies",
		Tags: []string{"zizmor:dependabot-execution", "attack:T1195.001"}, Fix: "insecure-external-code-execution: deny", Why: "manifests of dependencies run in a job that knows the private registries' credentials; medium, because a dependency must be taken over first", Noise: "private registries without credentials"}
	noCooldown = Rule{ID: "ci/dependabot-no-cooldown", Severity: low, Hygiene: true, Title: "Dependabot offers releases on their first day",
		Tags: []string{"zizmor:dependabot-cooldown"}, Fix: "cooldown: {default-days: 7}", Why: "malicious releases are mostly found within days; security updates come at once all the same", Noise: "updates are merged by hand, after a look"}
	obfuscated = Rule{ID: "ci/obfuscation", Severity: medium, Title: "What runs is disguised", Tags: []string{"zizmor:obfuscation"}, Fix: "write it plainly",
		Why: "paths with ./ or //, and expressions that only put a constant text together, hide from reviewers and tools what runs", Noise: "none is known"}
	hardcoded = Rule{ID: "ci/hardcoded-credentials", Severity: high, Title: "A registry's password stands in the workflow",
		Tags: []string{"zizmor:hardcoded-container-credentials", "attack:T1552.001"}, Fix: "password: ${{ secrets.NAME }}", Why: "everybody who can read the repository has it", Noise: "none is known"}
	typosquat = Rule{ID: "ci/typosquat-action", Severity: high, Title: "The action's name is nearly a well-known one",
		Tags: []string{"zizmor:typosquat-uses", "attack:T1195.001"}, Fix: "write the right name", Why: "whoever took the mistyped name runs with the job's token", Noise: "a fork of the same name under a similar owner"}
	vulnerableAction = Rule{ID: "ci/vulnerable-action", Severity: high, Title: "The action's version is known to be flawed",
		Tags: []string{"zizmor:known-vulnerable-actions", "poutine:known_vulnerability_in_build_component", "attack:T1195.002"}, Fix: "use a version since the one that is named, by its commit",
		Why: "strangers ran code in the jobs that used it, or could: tj-actions/changed-files printed the secrets of all of them (CVE-2025-30066)", Noise: "a tag that was moved to a mended release since; a fork of the action that has the mend"}
	archived = Rule{ID: "ci/archived-action", Severity: low, Hygiene: true, Title: "The action is no longer maintained",
		Tags: []string{"zizmor:archived-uses"}, Fix: "use its successor", Why: "nobody mends its flaws", Noise: "it is small and does no harm"}
	pipedScript = Rule{ID: "ci/piped-script", Severity: medium, Title: "A script from the network is run unseen",
		Tags: []string{"poutine:unverified_script_exec", "zizmor:adhoc-packages", "attack:T1195.002"}, Fix: "fetch it, check its digest, then run it; or use the packaged tool",
		Why: "whoever controls the address runs with the job's token and secrets; no patch is computed, because the digest must be looked at", Noise: "installers of tools that one trusts as much as their packages"}
)

// The rules about GitLab.
var (
	include = Rule{ID: "ci/gitlab-include", Severity: medium, Title: "Another's file is included without a fixed version",
		Fix: "integrity: sha256-... for remote, ref: with a commit for project", Tags: []string{"attack:T1195.002"},
		Why: "whoever changes that file changes this pipeline; high over plain http, low for projects and components of the same server", Noise: "templates of one's own organisation"}
	gitlabInjection = Rule{ID: "ci/gitlab-injection", Severity: medium, Title: "What a stranger writes is read as a command",
		Tags: []string{"attack:T1059", "poutine:injection"}, Fix: "use \"$VAR\" as an argument, outside of eval and of -c",
		Why: "titles, messages and branch names are chosen by whoever opens a merge request, and eval, sh -c and ssh read them as commands", Noise: "only members may push"}
	debugTrace = Rule{ID: "ci/gitlab-debug-trace", Severity: high, Title: "Job logs show all variables", Tags: []string{"poutine:debug_enabled", "attack:T1552"}, Fix: "take CI_DEBUG_TRACE out",
		Why: "the log of each job has every variable with its value, secrets too", Noise: "none is known"}
	dindPlain = Rule{ID: "ci/gitlab-dind-no-tls", Severity: medium, Title: "The engine of the job listens without TLS",
		Fix: "leave DOCKER_TLS_CERTDIR at /certs", Tags: []string{"attack:T1610"}, Why: "whoever reaches the port has a privileged engine; medium, because that is usually the job alone", Noise: "runners of one job each"}
	dind = Rule{ID: "ci/gitlab-dind", Severity: low, Hygiene: true, Title: "The job needs a privileged runner", Fix: "build with buildah, kaniko's successors or rootless BuildKit",
		Why: "docker:dind runs privileged only: root in any job of that runner is root on its machine", Noise: "runners of one job each"}
	hostSocket = Rule{ID: "ci/engine-socket", Severity: medium, Title: "The job uses the engine of its runner",
		Tags: []string{"attack:T1610"}, Fix: "use an engine or builder of the job's own", Why: "whoever changes the job is root on the runner", Noise: "runners of one job each"}
	publicArtifacts = Rule{ID: "ci/gitlab-public-artifacts", Severity: medium, Title: "Everybody may fetch artifacts that hold secrets",
		Tags: []string{"attack:T1552"}, Fix: "access: developer, and name the files that are needed", Why: "artifacts of public pipelines are open by default; reported where they hold settings (.env) or the whole folder with .git", Noise: "a private project"}
)

// Rules lists the rules by id.
func (*Check) Rules() []bulwark.Rule { return misconfig.List(rules()) }

func rules() []*Rule {
	return []*Rule{&injection, &inputInjection, &unpinnedAction, &unpinnedOfficial, &unpinnedImage, &untrustedCheckout, &dangerousTrigger, &envWrite, &writeAll, &riskyDefault, &noPermissions,
		&inherit, &allSecrets, &unredacted, &outsideEnvironment, &persist, &cachePoison, &selfHosted, &insecureCommands, &debugOn, &unsoundContains, &alwaysTrue, &botActor, &autoMerge,
		&publishToken, &obfuscated, &hardcoded, &typosquat, &vulnerableAction, &archived, &pipedScript, &unpinnedTool, &refMismatch, &dependabotRuns, &noCooldown, &include, &gitlabInjection, &debugTrace, &dindPlain, &dind, &hostSocket, &publicArtifacts}
}

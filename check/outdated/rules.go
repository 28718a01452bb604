package outdated

import "bulwark"

var _ bulwark.Ruler = (*Check)(nil)

// Rules lists what is looked for. All is low: what is behind is not vulnerable for that.
func (*Check) Rules() []bulwark.Rule {
	rule := func(id, title, reason, noise string) bulwark.Rule {
		return bulwark.Rule{ID: "outdated/" + id, Title: title, Severity: bulwark.SeverityLow, Reason: reason, FalsePositives: noise}
	}
	return []bulwark.Rule{
		rule("base-moved", "The base image's tag leads to another image by now",
			"What was fixed in the base since is not in this image. Low: what is open is found as a vulnerability of its own.", "A base that moves daily and seldom changes what is used of it."),
		rule("deprecated", "A package is deprecated or withdrawn by its maintainers",
			"Nobody mends its flaws, and maintainers say why it should not be used. Low until a flaw is known.", "A package deprecated in favour of another name for the same code."),
		rule("image-age", "The image was built long ago",
			"Its packages are those of that day, and nothing since has been mended. Low: an old image may hold nothing that ages.", "Images made from scratch that hold one static program, and reproducible builds with a date of their own."),
		rule("package", "A package is behind the index it came from",
			"Fixes come with newer versions, and small steps are easier than large ones. Low: behind is not vulnerable.", "A version that is held back on purpose."),
		rule("tag-moved", "The image's own tag leads to another image by now",
			"Whoever pulls the tag today gets something else than what was looked at. Low: the newer one is mostly the better.", "An image of one's own that has just been pushed."),
	}
}

package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/framework"
)

// completed are the words that flags take, on every command that has them.
func completed() map[string][]string {
	levels := []string{"critical", "high", "medium", "low", "unknown"}
	kinds := []string{bulwark.KindVulnerability, bulwark.KindOutdated, bulwark.KindEOL, bulwark.KindSecret, bulwark.KindMalware, bulwark.KindMisconfig, bulwark.KindExposure}
	return map[string][]string{
		"only": kinds, "skip": kinds, "severity": levels, "fail-on": append([]string{"kev", "fixable"}, levels...), "framework": framework.IDs(),
	}
}

// completion lets shells complete the words of flags, here and in the commands below.
func completion(c *cobra.Command) error {
	words := completed()
	if f := c.Flags().Lookup("format"); f != nil && len(f.Annotations[formatWords]) > 0 {
		words["format"] = f.Annotations[formatWords]
	}
	for name, list := range words {
		if c.Flags().Lookup(name) == nil {
			continue
		}
		if err := c.RegisterFlagCompletionFunc(name, fromList(list)); err != nil {
			return err
		}
	}
	for _, sub := range c.Commands() {
		if err := completion(sub); err != nil {
			return err
		}
	}
	return nil
}

// formatWords is the annotation of the flag --format that holds what it takes.
const formatWords = "formats"

// fromList completes the last word of a list with commas.
func fromList(list []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var words []cobra.Completion
		for _, w := range list {
			if w = before + w; strings.HasPrefix(w, typed) {
				words = append(words, w)
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTarget gives the targets that are no files where no file begins so; the shell
// completes files itself.
func completeTarget(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if files, _ := filepath.Glob(typed + "*"); typed == "" || len(files) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	words := []string{"cluster", "engine", "host"}
	for _, kind := range kindsOfTarget {
		words = append(words, kind+":")
	}
	var list []cobra.Completion
	for _, w := range words {
		if strings.HasPrefix(w, typed) {
			list = append(list, w)
		}
	}
	return list, cobra.ShellCompDirectiveNoSpace
}

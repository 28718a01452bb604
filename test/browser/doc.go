// Package browser holds the tests that look at the HTML report in a real browser.
package browser

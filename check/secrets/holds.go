package secrets

// Holds tells whether a text that is given to a name ("" when it has none) is the value of a
// secret or has one in it. Whoever keeps objects masks such texts ([kube.Masked]); the rules
// judge what is masked as they judge the value.
func Holds(name, value string) bool {
	return literal(name, value) || vendor(value) != "" || credentials(value)
}

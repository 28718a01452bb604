// Package rbac is who can do what: the effective permissions that the roles and bindings of a
// set of objects give, as the RBAC authorizer of Kubernetes decides them, and by which
// binding, role and rule.
//
// ClusterRoles that aggregate others have their rules, whether or not the set has them filled
// in. In manifests the roles that every cluster has (cluster-admin, admin, edit, view,
// system:...) are known without being there. What leads nowhere is kept: a binding whose role
// is not there, subjects that nobody can be.
//
// The group system:masters passes the API server before RBAC is asked; it may do everything.
package rbac

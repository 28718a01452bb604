package celext

import (
	"errors"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// The types of checks of rights. No value of them exists: nobody asks where there is no
// API server.
var (
	AuthorizerType    = cel.ObjectType("kubernetes.authorization.Authorizer")
	pathCheckType     = cel.ObjectType("kubernetes.authorization.PathCheck")
	groupCheckType    = cel.ObjectType("kubernetes.authorization.GroupCheck")
	ResourceCheckType = cel.ObjectType("kubernetes.authorization.ResourceCheck")
	decisionType      = cel.ObjectType("kubernetes.authorization.Decision")
)

var errNobody = errors.New("there is no API server to ask about rights")

// authorizer are the functions that ask for rights, so that expressions with them compile.
var authorizer = library{
	"path":           {rights("authorizer_path", AuthorizerType, pathCheckType, cel.StringType)},
	"group":          {rights("authorizer_group", AuthorizerType, groupCheckType, cel.StringType)},
	"serviceAccount": {rights("authorizer_serviceaccount", AuthorizerType, AuthorizerType, cel.StringType, cel.StringType)},
	"resource":       {rights("groupcheck_resource", groupCheckType, ResourceCheckType, cel.StringType)},
	"subresource":    {rights("resourcecheck_subresource", ResourceCheckType, ResourceCheckType, cel.StringType)},
	"namespace":      {rights("resourcecheck_namespace", ResourceCheckType, ResourceCheckType, cel.StringType)},
	"name":           {rights("resourcecheck_name", ResourceCheckType, ResourceCheckType, cel.StringType)},
	"fieldSelector":  {rights("authorizer_fieldselector", ResourceCheckType, ResourceCheckType, cel.StringType)},
	"labelSelector":  {rights("authorizer_labelselector", ResourceCheckType, ResourceCheckType, cel.StringType)},
	"check": {
		rights("pathcheck_check", pathCheckType, decisionType, cel.StringType),
		rights("resourcecheck_check", ResourceCheckType, decisionType, cel.StringType),
	},
	"allowed": {rights("decision_allowed", decisionType, cel.BoolType)},
	"reason":  {rights("decision_reason", decisionType, cel.StringType)},
	"errored": {rights("decision_errored", decisionType, cel.BoolType)},
	"error":   {rights("decision_error", decisionType, cel.StringType)},
}

func rights(id string, of, result *cel.Type, args ...*cel.Type) cel.FunctionOpt {
	return cel.MemberOverload(id, append([]*cel.Type{of}, args...), result, cel.FunctionBinding(func(...ref.Val) ref.Val { return types.WrapErr(errNobody) }))
}

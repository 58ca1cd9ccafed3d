"""Checks template.yaml and what SAM makes of it, without AWS.

SAM passes over some mistakes in silence: up to its release 1.110 an AuthType in
lower case, for one, yields a WebSocket API that is open to all. So the transformed
template, which is what CloudFormation gets, is read as well.
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # for ARNs; nothing is asked

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

# HTTP routes that anybody may call: a key is exchanged at one, the others give
# the page.
OPEN_ROUTES = {"/auth/token", "/", "$default"}

# Other ways into a function from outside, of which the template has none.
OTHER_DOORS = {"AWS::ApiGateway::RestApi", "AWS::Lambda::Url", "AWS::ElasticLoadBalancingV2::TargetGroup"}

# W2001 (parameter not used): SAM has already put some parameters' values in.
IGNORED = "W2001"


class ManagedPolicies:
    """SAM's table of managed policies by name; the template names none."""

    def load(self):
        return {}


def sam(path):
    with open(path, encoding="utf-8") as f:
        template = yaml_parse(f.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":  # as sam deploy does after the upload
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    defaults = {name: p["Default"] for name, p in template.get("Parameters", {}).items() if "Default" in p}
    return transform(template, defaults, ManagedPolicies())


def of_type(template, kind):
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


def doors(template):
    """Yields what is wrong with who may call the APIs."""
    authorizers = of_type(template, "AWS::ApiGatewayV2::Authorizer")
    routes = of_type(template, "AWS::ApiGatewayV2::Route")
    for name, api in of_type(template, "AWS::ApiGatewayV2::Api").items():
        if api.get("ProtocolType") == "WEBSOCKET":
            connect = [r for r in routes.values() if r["ApiId"] == {"Ref": name} and r["RouteKey"] == "$connect"]
            if not connect:
                yield f"{name}: the WebSocket API has no $connect route: anybody may connect"
            for route in connect:
                if route.get("AuthorizationType") != "CUSTOM":
                    yield f"{name}: AuthorizationType of $connect is {route.get('AuthorizationType')}, want CUSTOM: anybody may connect"
                authorizer = authorizers.get(route.get("AuthorizerId", {}).get("Ref"), {})
                if authorizer.get("AuthorizerType") != "REQUEST" or authorizer.get("ApiId") != {"Ref": name}:
                    yield f"{name}: $connect has no REQUEST authorizer"
            continue
        for path, methods in api.get("Body", {}).get("paths", {}).items():
            for method, operation in methods.items():
                if not operation.get("security") and path not in OPEN_ROUTES:
                    yield f"{name}: {method} {path} is open to all; if that is wanted, add it to OPEN_ROUTES"
    for kind in OTHER_DOORS:
        for name in of_type(template, kind):
            yield f"{name}: {kind} is not checked here: add a check first"


def lint(path, *options):
    command = os.path.join(os.path.dirname(sys.executable), "cfn-lint")
    return subprocess.run([command, *options, "--", path], check=False).returncode


def main(path):
    if lint(path) != 0:
        sys.exit(f"{path}: see cfn-lint's findings above")
    try:
        template = sam(path)
    except InvalidDocumentException as err:
        sys.exit("\n".join(f"{path}: SAM: {cause.message}" for cause in err.causes))
    wrong = list(doors(template))
    with tempfile.TemporaryDirectory() as folder:
        transformed = os.path.join(folder, "transformed.json")
        with open(transformed, "w", encoding="utf-8") as f:
            json.dump(template, f, indent=1)
        if lint(transformed, "--ignore-checks", IGNORED) != 0:
            wrong.append(f"{path}: cfn-lint finds fault with what SAM makes of it, see above")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{path} and the {len(template['Resources'])} resources that SAM makes of it are valid")


if __name__ == "__main__":
    main(sys.argv[1])

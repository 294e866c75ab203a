"""Where a login leads back to: the host it began at, or the provider once more, and nowhere else.

Envoy's `oauth2` keeps the address in `state`, which it does not sign: the cookie of the browser
vouches for the login, and for nothing of the address. Whoever can change what a provider sends
back could lead the browser elsewhere, with a session that is good. No filter looks at redirects, so
a few lines of Lua do; they run for the path that providers send browsers back to, and for no other.
"""

from typing import Final
from urllib.parse import urlsplit

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.methods import LoginMethod

NAME: Final = "pointsman.login_back"
_PROVIDER: Final = "provider"
_CODE: Final = f"""
function envoy_on_request(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("{NAME}", "host", handle:headers():get(":authority"))
end
function envoy_on_response(handle)
  local headers = handle:headers()
  local location = headers:get("location")
  if location == nil then return end
  local known = handle:streamInfo():dynamicMetadata():get("{NAME}")
  local host = string.match(location, "^https?://([^/?#\\\\]+)")
  if host ~= nil and known ~= nil and host == known["host"] then return end
  if host ~= nil and host == handle:filterContext()["{_PROVIDER}"] then return end
  headers:remove("location")
  headers:remove("set-cookie")
  headers:replace(":status", "400")
end
"""


def back_filter() -> Fields:
    """The filter, which the rows of logins switch on."""
    config = pb.Lua(default_source_code={"inline_string": _CODE})
    return {"name": NAME, "disabled": True, "typed_config": pb.pack(config)}


def back_of_row(method: LoginMethod) -> pb.Message:
    """Where else a row may lead: to the provider."""
    context = {_PROVIDER: urlsplit(method.authorize).netloc}
    return pb.pack(pb.LuaPerRoute(filter_context=context))

"""Who may call the HTTP interface: API tokens with a scope, and staff who are signed in."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from moviesms.models import ApiToken


class TokenUser:
    """The caller behind an API token: nobody in the admin, and no staff."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    pk = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"token {self.token.name}"


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`, with a key from `manage.py create_api_token`."""

    keyword = b"token"

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("The header must read: Authorization: Token <key>."))
        digest = ApiToken.digest_of(parts[1].decode("latin-1"))
        token = ApiToken.objects.filter(digest=digest, revoked_at=None).first()
        if token is None:
            raise AuthenticationFailed(_("This token is unknown or revoked."))
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class TokenScopeOrStaff(BasePermission):
    """Reading for any token and for staff; writing for tokens of scope `write` and for staff."""

    message = "This token may only read. Make one with --scope write."

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, ApiToken):
            return request.method in SAFE_METHODS or request.auth.scope == ApiToken.Scope.WRITE
        return bool(request.user and request.user.is_authenticated and request.user.is_staff)

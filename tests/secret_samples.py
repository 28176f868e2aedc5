"""Values that look like credentials and are none. Put together at run time, so no scanner finds them in this file."""

_LETTERS = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
GITHUB_TOKEN = f"ghp_{_LETTERS}"
INSTALLATION_TOKEN = f"ghs_123456_eyJ{_LETTERS}.eyJ{_LETTERS}.{_LETTERS}"
AWS_KEY_ID = "AKIA" + "QYLPMN5HHHFPZAM2"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzzzzzzzKEY"
_BODY = "MIIEpAIBAAKCAQEA0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78L"
_LAST = "hWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc/BJECPebWKRXjBZCiFV4n3oknj"
PRIVATE_KEY = "\n".join(
    ("-----BEGIN RSA PRIVATE" + " KEY-----", _BODY, _LAST, "-----END RSA PRIVATE" + " KEY-----")
)
# What must be nowhere: also the lines of the key by themselves.
VALUES = (GITHUB_TOKEN, INSTALLATION_TOKEN, AWS_KEY_ID, AWS_SECRET, _BODY, _LAST)
TEXT = (
    f"The token is {GITHUB_TOKEN}, also {INSTALLATION_TOKEN}.\n"
    f'aws_access_key_id = {AWS_KEY_ID}\naws_secret_access_key = "{AWS_SECRET}"\n{PRIVATE_KEY}\n'
)


def values_in(text: str) -> list[str]:
    """Which of them stand in the text, as they are or as JSON writes them."""
    return [value for value in VALUES if value in text or value.replace("/", "\\/") in text]

"""Names that both sides and every stored seal rely on. Append only. Pure."""

PROTOCOL = 1
"""The number of this protocol. Another number is another protocol: see docs/protocol.md."""

ORDER_EXTENSION_OID = "2.25.121023237777068567829508413188305176499"
"""extnID in SES_SealInfo.extDatas: the value is the canonical JSON of the server's signed order
(`Signed`)."""

MAKER_EKU = "2.25.302594017458736134892155463021"
"""Extended key usage that marks a seal maker's certificate (制章者)."""

ORDER_EKU = "2.25.302594017458736134892155463022"
"""Extended key usage that marks the certificate of a server that orders productions."""

ECDSA_SHA256 = "ecdsa-sha256"
"""ECDSA on P-256 over SHA-256, the signature in DER (SEQUENCE {r, s})."""

RSA_SHA256 = "rsa-pkcs1-sha256"
"""RSA PKCS#1 v1.5 over SHA-256."""

ED25519 = "ed25519"

CARD_ALGORITHMS = (ECDSA_SHA256, RSA_SHA256)

MOVED_ON = "signing.moved_on"
"""The server's word to an outcome: the document has moved on, begin again; the person need not be asked again."""

MAKE_SEAL = "make_seal"
SIGN_DOCUMENT = "sign_document"
UNLOCK_PIN = "unlock_pin"
LOG_IN = "log_in"

"""A card in a reader that signs what it is told, as a process of its own: a line of hex in, a line of hex out.

    python -m app.bench.one_signer MODULE SERIAL < lines

The PIN is the first line. ECDSA over SHA-256, in DER, by the token's one private key.
"""

import sys
from hashlib import sha256
from typing import Any

import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ecdsa_signature


def main() -> None:
    module, serial = sys.argv[1:]
    pin = sys.stdin.readline().strip()
    library: Any = pkcs11.lib(module)
    tokens = [slot.get_token() for slot in library.get_slots(token_present=True)]
    token = next(t for t in tokens if bytes(t.serial).decode("ascii").strip() == serial)
    with token.open(user_pin=pin) as session:
        key = next(iter(list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))))
        print("ready", flush=True)
        for line in sys.stdin:
            value = key.sign(sha256(bytes.fromhex(line)).digest(), mechanism=Mechanism.ECDSA)
            print(encode_ecdsa_signature(value).hex(), flush=True)


if __name__ == "__main__":
    main()

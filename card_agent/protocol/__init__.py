"""The words that the server and a card station exchange. Pure: standard library only.

`names` constants, `codec` canonical JSON, `statements` all that is signed, `jobs` and `outcomes` the
messages, `request` the signature of a request, `seal_content` what an order binds, `on_card` what a card
holds. Fixed for good: docs/protocol.md; `examples/` are asserted by both sides.
"""

"""What we use of pyHanko and asn1crypto, by name. Pure.

They say too little of their types, so each is `Any` here, and what our functions give away is typed by us.
"""

import logging
from typing import Any

from asn1crypto import cms as _asn1_cms
from asn1crypto import crl as _asn1_crl
from asn1crypto import ocsp as _asn1_ocsp
from asn1crypto import parser as _asn1_parser
from asn1crypto import pem as _pem
from asn1crypto import tsp as _asn1_tsp
from asn1crypto import x509 as _asn1_x509
from pyhanko.pdf_utils import generic as _generic
from pyhanko.pdf_utils.crypt.permissions import StandardPermissions as _StandardPermissions
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter as _Writer
from pyhanko.pdf_utils.reader import PdfFileReader as _Reader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY as _DEFAULT
from pyhanko.sign.diff_analysis import DiffResult as _DiffResult
from pyhanko.sign.diff_analysis import FormUpdatingRule as _FormUpdatingRule
from pyhanko.sign.diff_analysis import GenericFieldModificationRule as _GenericFieldModificationRule
from pyhanko.sign.diff_analysis import SigFieldCreationRule as _SigFieldCreationRule
from pyhanko.sign.diff_analysis import SigFieldModificationRule as _SigFieldModificationRule
from pyhanko.sign.diff_analysis import StandardDiffPolicy as _StandardDiffPolicy
from pyhanko.sign.diff_analysis import SuspiciousModification as _SuspiciousModification
from pyhanko.sign.fields import SigFieldSpec as _SigFieldSpec
from pyhanko.sign.fields import enumerate_sig_fields as _enumerate_sig_fields
from pyhanko.sign.general import extract_signer_info as _extract_signer_info
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder as _PdfCMSEmbedder
from pyhanko.sign.signers.cms_embedder import SigIOSetup as _SigIOSetup
from pyhanko.sign.signers.cms_embedder import SigObjSetup as _SigObjSetup
from pyhanko.sign.signers.pdf_byterange import BuildProps as _BuildProps
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp as _DocumentTimestamp
from pyhanko.sign.signers.pdf_byterange import SignatureObject as _SignatureObject
from pyhanko.sign.signers.pdf_cms import ExternalSigner as _ExternalSigner
from pyhanko.sign.validation.dss import DocumentSecurityStore as _DocumentSecurityStore
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation as _extract_certs
from pyhanko.sign.validation.generic_cms import validate_sig_integrity as _validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature as _Embedded
from pyhanko.sign.validation.pdf_embedded import extract_contents as _extract_contents
from pyhanko.sign.validation.pdf_embedded import read_certification_data as _read_certification_data
from pyhanko_certvalidator import CertificateValidator as _CertificateValidator
from pyhanko_certvalidator import ValidationContext as _ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore as _SimpleCertificateStore

for _library in ("pyhanko", "pyhanko_certvalidator"):
    # what is wrong with a foreign file is our verdict, not an entry in our log
    logging.getLogger(_library).setLevel(logging.CRITICAL)

asn1_cms: Any = _asn1_cms
asn1_crl: Any = _asn1_crl
asn1_ocsp: Any = _asn1_ocsp
asn1_parser: Any = _asn1_parser
asn1_tsp: Any = _asn1_tsp
pem: Any = _pem
asn1_x509: Any = _asn1_x509
generic: Any = _generic
pdf_name: Any = generic.pdf_name
IncrementalPdfFileWriter: Any = _Writer
PdfFileReader: Any = _Reader
StandardPermissions: Any = _StandardPermissions
DEFAULT_DIFF_POLICY: Any = _DEFAULT
FormUpdatingRule: Any = _FormUpdatingRule
GenericFieldModificationRule: Any = _GenericFieldModificationRule
SigFieldCreationRule: Any = _SigFieldCreationRule
SigFieldModificationRule: Any = _SigFieldModificationRule
StandardDiffPolicy: Any = _StandardDiffPolicy
SuspiciousModification: Any = _SuspiciousModification
DiffResult: Any = _DiffResult
SigFieldSpec: Any = _SigFieldSpec
enumerate_sig_fields: Any = _enumerate_sig_fields
extract_signer_info: Any = _extract_signer_info
PdfCMSEmbedder: Any = _PdfCMSEmbedder
SigIOSetup: Any = _SigIOSetup
SigObjSetup: Any = _SigObjSetup
BuildProps: Any = _BuildProps
DocumentSecurityStore: Any = _DocumentSecurityStore
DocumentTimestamp: Any = _DocumentTimestamp
SignatureObject: Any = _SignatureObject
ExternalSigner: Any = _ExternalSigner
extract_certs: Any = _extract_certs
validate_sig_integrity: Any = _validate_sig_integrity
EmbeddedPdfSignature: Any = _Embedded
extract_contents: Any = _extract_contents
read_certification_data: Any = _read_certification_data
CertificateValidator: Any = _CertificateValidator
ValidationContext: Any = _ValidationContext
SimpleCertificateStore: Any = _SimpleCertificateStore

throw new Error("libxmljs2 is not installed: an SBOM in XML cannot be validated here");

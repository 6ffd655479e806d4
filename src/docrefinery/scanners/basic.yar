// What the basic scanner recognises. A rule quarantines a document, so each one names something that no honest PDF has.
// Left out on purpose: JavaScript, links, forms, encryption and launch actions that open another document.

rule Eicar_Test_File {
    strings:
        // In hexadecimal, so that no scanner takes this file for the test file.
        $eicar = {
            58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24 45 49 43 41 52 2D
            53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56 49 52 55 53 2D 54 45 53 54 2D 46 49 4C 45 21 24 48 2B 48 2A
        }
    condition:
        $eicar
}

rule Pdf_Launch_Of_A_Program {
    strings:
        // Any letter of a PDF name may be written as #xx, which only those do who hide something.
        $launch = /\/S\s{0,8}\/(L|#4[Cc])(a|#61)(u|#75)(n|#6[Ee])(c|#63)(h|#68)[^0-9A-Za-z]/
        $target = /\([^()]{0,250}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|msi|lnk|jar|cpl|dll|sh)[\s")]/ nocase
        $shell = /\([^()]{0,250}(cmd|powershell|pwsh|wscript|cscript|mshta|rundll32|regsvr32|\/bin\/[a-z]{2,8})[\s")]/ nocase
    condition:
        for any i in (1..#launch) : (
            $target in (@launch[i] - 400 .. @launch[i] + 400) or $shell in (@launch[i] - 400 .. @launch[i] + 400)
        )
}

rule Embedded_Windows_Program {
    condition:
        attachment and uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550
}

rule Embedded_Unix_Program {
    condition:
        attachment and (
            uint32be(0) == 0x7F454C46 or uint32be(0) == 0xFEEDFACE or uint32be(0) == 0xFEEDFACF
            or uint32be(0) == 0xCEFAEDFE or uint32be(0) == 0xCFFAEDFE
        )
}

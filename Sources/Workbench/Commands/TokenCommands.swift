// `workbench encode` and `workbench decode`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Pictures to token maps.
struct EncodeCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode", abstract: "Encode a picture to multi-scale token maps.",
        discussion: """
            Examples:
              workbench encode --image seven.png --out seven.json
              workbench encode --image seven.png --reconstruction back.png
            """)

    @Option(help: ArgumentHelp("A PNG or JPEG of any size.", valueName: "file"))
    var image: String

    @Option(help: "The model whose tokenizer encodes.")
    var model = DefaultModel.name

    @Option(help: ArgumentHelp("Write the token maps here as JSON.", valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Write the decoded picture here.", valueName: "file"))
    var reconstruction: String?

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        var tokens: TokenMaps
        /// Of the decoded picture against the encoded one, in dB.
        var psnr: Double
    }

    func run() throws {
        let interrupt = Interrupt()
        let tokenizer = try ModelAccess(common).tokenizer(
            model, cancellation: interrupt.cancellation)
        let (source, fit) = try ImageFile.read(path: image, side: tokenizer.geometry.imageSize)
        if let notice = fit.notice, !common.quiet { Output.note(notice) }
        let tokens = try tokenizer.encode(source)
        let decoded = try tokenizer.decode(tokens, throughScale: nil)
        let report = Report(tokens: tokens, psnr: source.psnr(to: decoded))
        if let out {
            let encoder = JSONEncoder()
            try AtomicWrite.write([UInt8](try encoder.encode(tokens)), to: out)
        }
        if let reconstruction { try PNG.write(decoded, to: reconstruction) }
        if json.isOn {
            try Output.json(report)
        } else {
            Output.line(String(format: "PSNR %.2f dB", report.psnr))
            for (scale, map) in tokens.scales.enumerated() {
                let side = tokens.patchNums[scale]
                Output.line(
                    "scale \(scale), \(side)×\(side): \(map.map(String.init).joined(separator: " "))"
                )
            }
        }
    }
}

/// Token maps to pictures.
struct DecodeCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Decode token maps to a picture.",
        discussion: """
            Examples:
              workbench decode --tokens seven.json --out seven.png
              workbench decode --tokens seven.json --through-scale 2 --out coarse.png
            """)

    @Option(help: ArgumentHelp("Token maps as `encode` writes them.", valueName: "file"))
    var tokens: String

    @Option(help: "The model whose tokenizer decodes.")
    var model = DefaultModel.name

    @Option(help: "Use scales 0 to this one only.")
    var throughScale: Int?

    @Option(help: ArgumentHelp("Where the picture goes.", valueName: "file"))
    var out = "decoded.png"

    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let tokenizer = try ModelAccess(common).tokenizer(
            model, cancellation: interrupt.cancellation)
        let maps = try read(for: tokenizer.geometry)
        if let throughScale, !maps.scales.indices.contains(throughScale) {
            throw InputError(
                "--through-scale is \(throughScale); give 0 to \(maps.scales.count - 1).")
        }
        try PNG.write(try tokenizer.decode(maps, throughScale: throughScale), to: out)
        if !common.quiet { Output.line(out) }
    }

    private func read(for geometry: ScaleGeometry) throws -> TokenMaps {
        let file = try MappedFile(path: tokens)
        let maps: TokenMaps
        do {
            maps = try JSONDecoder().decode(
                TokenMaps.self, from: Data(file.copy(0..<file.byteCount)))
        } catch {
            throw InputError("\(tokens): these are no token maps; write them with `encode --out`.")
        }
        guard maps.patchNums == geometry.patchNums,
            maps.scales.map(\.count) == geometry.patchNums.map({ $0 * $0 })
        else {
            throw InputError(
                "\(tokens): the maps have sides \(maps.patchNums); "
                    + "this model's are \(geometry.patchNums).")
        }
        for (scale, map) in maps.scales.enumerated() {
            if let wrong = map.first(where: { $0 < 0 || Int($0) >= geometry.vocabulary }) {
                throw InputError(
                    "\(tokens): scale \(scale) holds token \(wrong); "
                        + "codes go from 0 to \(geometry.vocabulary - 1).")
            }
        }
        return maps
    }
}

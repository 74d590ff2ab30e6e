// Checkpoints with exactly the published names and shapes, at published size.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

/// The public files cannot be part of a test; these have the same names, shapes, containers and
/// sizes, with holes for weights.
@Suite(.serialized) struct PublishedSizeTests {
    private let folder: TestSupport.TemporaryFolder

    init() throws { folder = try TestSupport.TemporaryFolder() }

    /// Bytes of a state dictionary as published, with all buffers.
    private func stateBytes(_ parameters: [Parameter], _ buffers: [String: Tensor]) -> Int {
        parameters.reduce(0) { $0 + $1.value.count * $1.value.dtype.byteCount }
            + buffers.values.reduce(0) { $0 + $1.count * $1.dtype.byteCount }
    }

    /// Expects a loaded model to lie in the file's mapping and to have read little of it.
    private func expectMapped(
        _ path: String, _ archive: TensorArchive, _ parameters: [Parameter],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = try #require(archive.records.first?.file)
        let start = try #require(file.bytes.baseAddress)
        let range = start..<(start + file.byteCount)
        let copied = parameters.filter { !range.contains(UnsafeRawPointer($0.value.address)) }
        #expect(copied.isEmpty, "copied: \(copied.map(\.name))", sourceLocation: sourceLocation)
        let resident = try #require(
            try FileCost.residentBytes(path), "the file is not mapped",
            sourceLocation: sourceLocation)
        #expect(
            resident > 0 && resident < 24 << 20 && resident < file.byteCount / 20,
            "\(resident) of \(file.byteCount) bytes were read", sourceLocation: sourceLocation)
        #expect(
            FileCost.diskBytes(path) < 64 << 20, "the file is no hole",
            sourceLocation: sourceLocation)
    }

    // MARK: Sizes

    @Test func tokenizer() throws {
        let tensors = PublishedTensors.tokenizer()
        #expect(tensors.count == 324)
        let path = folder.file("vae_ch160v4096z32.pth")
        try SparseCheckpoint(tensors).writePyTorch(path, usesZIP64: false)
        let archive = try TensorArchive.open(path: path)
        #expect(try CheckpointKind.infer(archive) == .tokenizer)
        let model = try VQVAE(archive: archive)
        #expect(model.configuration == .published256)
        #expect(model.configuration.imageSize == 256)
        #expect(stateBytes(model.parameters, model.buffers) == 435_957_260)
        #expect(model.parameters.reduce(0) { $0 + $1.value.count } == 108_948_355)
        func count(_ prefix: String) -> Int {
            model.parameters.reduce(0) { $0 + ($1.name.hasPrefix(prefix) ? $1.value.count : 0) }
        }
        #expect(count("encoder.") == 44_107_872 && count("decoder.") == 64_653_923)
        #expect(count("quantize.embedding.") == 131_072 && count("quantize.quant_resi.") == 36_992)
        #expect(count("quant_conv.") == 9_248 && count("post_quant_conv.") == 9_248)
        try expectMapped(path, archive, model.parameters)
    }

    /// The published tokenizer serves 512 pixels as it is, with other maps.
    @Test func tokenizerFor512Pixels() throws {
        let path = folder.file("vae.safetensors")
        try SparseCheckpoint(PublishedTensors.tokenizer()).writeSafetensors(path)
        let model = try VQVAE(
            archive: TensorArchive.open(path: path), patchNums: PublishedTensors.patchNums512,
            imageSize: 512)
        #expect(model.configuration.imageSize == 512)
    }

    @Test(arguments: [
        (16, 1_872_720_960, 467.7), (20, 3_384_069_888, 845.5), (24, 5_539_367_488, 1384.3),
        (30, 10_227_443_728, 2556.3),
    ])
    func hmar(depth: Int, bytes: Int, millions: Double) throws {
        let tensors = PublishedTensors.hmar(depth: depth)
        if depth == 16 { #expect(tensors.count == 329) }
        let path = folder.file("hmar-d\(depth).pth")
        // Only files of more than 4 GiB need ZIP64; PyTorch writes it there alone.
        let usesZIP64 = bytes > 4 << 30
        let size = try SparseCheckpoint(tensors).writePyTorch(path, usesZIP64: usesZIP64)
        #expect(size > bytes && size < bytes + (1 << 20))
        let archive = try TensorArchive.open(path: path)
        #expect(archive.format == .pytorch)
        #expect(try CheckpointKind.infer(archive) == .hmar)
        let model = try HMAR(archive: archive)
        #expect(model.configuration == .published256(depth: depth))
        #expect(model.configuration.width == 64 * depth && model.configuration.heads == depth)
        #expect(model.configuration.maskDepth == 8 && model.configuration.scaleCount == 10)
        #expect(model.configuration.patchNums == PublishedTensors.patchNums)
        #expect(stateBytes(model.parameters, model.buffers) == bytes)
        let parameters = model.parameters.reduce(0) { $0 + $1.value.count }
        #expect(abs(Double(parameters) / 1e6 - millions) < 0.06, "\(parameters)")
        try expectMapped(path, archive, model.parameters)
    }

    @Test(arguments: [
        (16, 1_243_054_656, 310.3), (20, 2_405_625_984, 600.9), (24, 4_135_599_936, 1033.4),
        (30, 8_042_166_864, 2010.0),
    ])
    func `var`(depth: Int, bytes: Int, millions: Double) throws {
        let tensors = PublishedTensors.var(depth: depth)
        if depth == 16 { #expect(tensors.count == 220) }
        #expect(tensors.reduce(0) { $0 + $1.byteCount } == bytes)
        var checkpoint = SparseCheckpoint(tensors)
        checkpoint.isCausal = true
        let path = folder.file("var_d\(depth).pth")
        try checkpoint.writePyTorch(path, usesZIP64: bytes > 4 << 30)
        let archive = try TensorArchive.open(path: path)
        #expect(try CheckpointKind.infer(archive) == .var)
        let network = try VAR(archive: archive).network
        #expect(network.configuration.depth == depth && network.configuration.width == 64 * depth)
        #expect(network.configuration.patchNums == PublishedTensors.patchNums)
        #expect(stateBytes(network.parameters, network.buffers) == bytes)
        let parameters = network.parameters.reduce(0) { $0 + $1.value.count }
        #expect(abs(Double(parameters) / 1e6 - millions) < 0.06, "\(parameters)")
        try expectMapped(path, archive, network.parameters)
    }

    /// VAR d36 for 512 pixels shares its modulation network among the blocks.
    @Test func varWithSharedModulation() throws {
        let tensors = PublishedTensors.var(
            depth: 36, patchNums: PublishedTensors.patchNums512, sharedAdaLN: true)
        #expect(tensors.reduce(0) { $0 + $1.byteCount } == 9_435_995_712)
        var checkpoint = SparseCheckpoint(tensors)
        checkpoint.patchNums = PublishedTensors.patchNums512
        checkpoint.isCausal = true
        let path = folder.file("var_d36.pth")
        try checkpoint.writePyTorch(path, usesZIP64: true)
        let archive = try TensorArchive.open(path: path)
        let network = try VAR(archive: archive).network
        #expect(network.configuration == .published512VAR)
        #expect(stateBytes(network.parameters, network.buffers) == 9_435_995_712)
        try expectMapped(path, archive, network.parameters)
    }

    /// The measure behind `expectMapped` sees a weight that is read.
    @Test func readingAWeightIsMeasured() throws {
        let path = folder.file("hmar-d16.pth")
        try SparseCheckpoint(PublishedTensors.hmar(depth: 16)).writePyTorch(path, usesZIP64: false)
        let model = try HMAR(archive: TensorArchive.open(path: path))
        let before = try #require(try FileCost.residentBytes(path))
        let weight = try #require(
            model.parameters.first { $0.name == "ns_blocks.3.ada_lin.1.weight" })
        #expect(weight.value.sum().item() == 0)
        let after = try #require(try FileCost.residentBytes(path))
        #expect(after - before >= 4 * weight.value.count - 8192)
        #expect(FileCost.diskBytes(path) < 64 << 20)
    }

    /// Phase 1 of HMAR has VAR's names; its mask alone tells it apart.
    @Test func phaseOneIsToldByItsMask() throws {
        let path = folder.file("phase1.safetensors")
        try SparseCheckpoint(PublishedTensors.var(depth: 16)).writeSafetensors(path)
        let archive = try TensorArchive.open(path: path)
        #expect(try CheckpointKind.infer(archive) == .nextScale)
        #expect(throws: CheckpointError.self) { try VAR(archive: archive) }
    }

    // MARK: Element types

    /// 16-bit weights are widened when a network takes them, so their mapping is not claimed: sizes
    /// and names are checked, which touches no weight.
    @Test(arguments: SparseCheckpoint.Element.allCases)
    func safetensorsOfEveryElementType(element: SparseCheckpoint.Element) throws {
        var checkpoint = SparseCheckpoint(PublishedTensors.hmar(depth: 16))
        checkpoint.element = element
        let path = folder.file("hmar-d16.safetensors")
        try checkpoint.writeSafetensors(path)
        let archive = try TensorArchive.open(path: path)
        #expect(archive.format == .safetensors)
        #expect(try CheckpointKind.check(archive) == .hmar)
        let configuration = try TransformerConfiguration(archive: archive, kind: .hmar)
        #expect(configuration == .published256(depth: 16))
        #expect(archive.elementCount == 1_872_720_960 / 4 - 680)
        if element == .float32 {
            try expectMapped(path, archive, try HMAR(archive: archive).parameters)
        }
        let resident = try #require(try FileCost.residentBytes(path))
        #expect(resident < 24 << 20)
    }

    @Test(arguments: [SparseCheckpoint.Element.float16, .bfloat16])
    func tokenizerInSixteenBits(element: SparseCheckpoint.Element) throws {
        var checkpoint = SparseCheckpoint(PublishedTensors.tokenizer())
        checkpoint.element = element
        let path = folder.file("vae.pth")
        try checkpoint.writePyTorch(path, usesZIP64: true)
        let model = try VQVAE(archive: TensorArchive.open(path: path))
        #expect(model.configuration == .published256)
        #expect(model.parameters.allSatisfy { $0.value.dtype == .float32 })
    }

    /// Training checkpoints nest both models in one file.
    @Test func nestedTrainingCheckpoint() throws {
        func under(_ prefix: String, _ tensors: [PublishedTensor]) -> [PublishedTensor] {
            tensors.map {
                .init(name: prefix + $0.name, shape: $0.shape, isInteger: $0.isInteger)
            }
        }
        // The bookkeeping tensors are holes under these names, so they are left out.
        let plain = PublishedTensors.var(depth: 16).filter {
            $0.name != "lvl_1L" && $0.name != "attn_bias_for_masking"
        }
        let path = folder.file("ar-ckpt-best.pth")
        try SparseCheckpoint(
            under("trainer.transformer_wo_ddp.", plain)
                + under("trainer.vae_local.", PublishedTensors.tokenizer())
        ).writePyTorch(path, usesZIP64: true)
        let archive = try TensorArchive.open(path: path)
        #expect(try VQVAE(archive: archive).configuration == .published256)
        let network = try NextScaleTransformer(
            archive: archive, kind: .nextScale, patchNums: PublishedTensors.patchNums)
        #expect(network.configuration == .published256(depth: 16))
    }

    // MARK: Refusals

    /// One published kind of file and how it is loaded.
    enum Kind: String, CaseIterable {
        case tokenizer, hmar, `var`

        var tensors: [PublishedTensor] {
            switch self {
            case .tokenizer: PublishedTensors.tokenizer()
            case .hmar: PublishedTensors.hmar(depth: 16)
            case .var: PublishedTensors.var(depth: 16)
            }
        }

        /// A tensor deep inside that no size is read from.
        var victim: String {
            switch self {
            case .tokenizer: "decoder.up.3.block.1.conv2.weight"
            case .hmar: "mask_blocks.5.ffn.fc2.weight"
            case .var: "blocks.11.attn.proj.weight"
            }
        }

        func load(_ archive: TensorArchive) throws {
            switch self {
            case .tokenizer: _ = try VQVAE(archive: archive)
            case .hmar: _ = try HMAR(archive: archive)
            case .var: _ = try VAR(archive: archive)
            }
        }
    }

    private func refuse(
        _ kind: Kind, _ words: String..., change: (inout [PublishedTensor], Int) -> Void
    ) throws {
        var tensors = kind.tensors
        let index = try #require(tensors.firstIndex { $0.name == kind.victim })
        change(&tensors, index)
        var checkpoint = SparseCheckpoint(tensors)
        checkpoint.isCausal = kind == .var
        let path = folder.file("changed.safetensors")
        try checkpoint.writeSafetensors(path)
        let archive = try TensorArchive.open(path: path)
        for load in [kind.load, { _ = try CheckpointKind.check($0) }] {
            do {
                try load(archive)
                Issue.record("\(kind): nothing was refused")
            } catch {
                let text = "\(error)"
                #expect(error is CheckpointError && text.contains("changed.safetensors"))
                for word in words { #expect(text.contains(word), "\(text)") }
            }
        }
    }

    @Test(arguments: Kind.allCases) func aMissingTensorIsNamed(kind: Kind) throws {
        try refuse(kind, "missing (1)", kind.victim) { $0.remove(at: $1) }
    }

    @Test(arguments: Kind.allCases) func anExtraTensorIsNamed(kind: Kind) throws {
        try refuse(kind, "not part of the model (1)", "teacher.weight") { tensors, _ in
            tensors.append(.init(name: "teacher.weight", shape: [7, 7]))
        }
    }

    @Test(arguments: Kind.allCases) func aMisshapenTensorIsNamed(kind: Kind) throws {
        try refuse(kind, "wrong shape or type (1)", "\(kind.victim): expected", "found [3, 5]") {
            $0[$1].shape = [3, 5]
        }
    }

    @Test(arguments: Kind.allCases) func aWeightOfIntegersIsNamed(kind: Kind) throws {
        try refuse(kind, "wrong shape or type (1)", kind.victim, "F32", "I64") {
            $0[$1].isInteger = true
        }
    }

    /// The bookkeeping tensors are checked although they are not used.
    @Test func wrongBookkeepingIsRefused() throws {
        var checkpoint = SparseCheckpoint(PublishedTensors.hmar(depth: 16))
        checkpoint.isCausal = true
        let path = folder.file("wrong.safetensors")
        try checkpoint.writeSafetensors(path)
        expectSentence("wrong.safetensors", "attn_bias_for_masking", "block-diagonal") {
            _ = try HMAR(archive: TensorArchive.open(path: path))
        }
        checkpoint.isCausal = false
        checkpoint.patchNums = [1, 2, 3, 4, 5, 6, 8, 10, 13]
        checkpoint.tensors = checkpoint.tensors.map {
            $0.name == "lvl_1L" ? .init(name: $0.name, shape: [1, 424], isInteger: true) : $0
        }
        try checkpoint.writeSafetensors(path)
        #expect(throws: CheckpointError.self) {
            try HMAR(archive: TensorArchive.open(path: path))
        }
    }
}

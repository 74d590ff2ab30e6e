// Truncated, lying and hostile checkpoints, and writing that is cut short.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct CheckpointCommandTests {
    private let program: Program

    init() throws { program = try Program() }

    private static let tokenizer = Fixture.path("hmar/tiny_vae.f16.safetensors")

    /// Expects `inspect` and `import` to refuse a file in one clear sentence and leave nothing.
    private func refuse(
        _ bytes: [UInt8], _ name: String, _ words: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let path = try program.folder.write(bytes, name)
        let store = try program.folder.folder("store")
        for arguments in [
            ["inspect", path],
            ["import", Self.tokenizer, path, "--name", "x", "--models", store],
        ] {
            try program.refuse(arguments, name, words, sourceLocation: sourceLocation)
        }
        let left = FileManager.default.enumerator(atPath: store)?.compactMap { $0 as? String }
        #expect(left?.contains { $0.contains(".") } != true, "\(left ?? [])")
    }

    private func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
        var file = ByteBuilder()
        file.little(length ?? UInt64(header.utf8.count))
        file.add(header)
        file.add([UInt8](repeating: 0, count: data))
        return file.bytes
    }

    private func pytorch(_ pickle: [UInt8], storage: Int = 8) -> [UInt8] {
        var zip = ZipBuilder()
        zip.add("m/data.pkl", pickle)
        zip.add("m/data/0", [UInt8](repeating: 0, count: storage))
        return zip.build()
    }

    @Test func filesOfAnotherKind() throws {
        try refuse([], "empty.pth", "0 bytes")
        try refuse(Array("hello, world\n".utf8), "text.safetensors", "first bytes")
        let picture = FileManager.default.contents(atPath: Fixture.path("pictures/scene.png"))
        try refuse([UInt8](try #require(picture)), "picture.pth", "first bytes")
        try refuse([0x80, 2, 0x7D, 0x2E], "old.pth", "1.6")
        let other = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        try refuse(safetensors(other, data: 8), "other.safetensors", "no known model")
    }

    @Test func lyingSafetensors() throws {
        try refuse(safetensors("{}", length: 1 << 62), "a.safetensors")
        try refuse(safetensors("{}", length: 90_000_000), "b.safetensors", "90000000")
        let name = "encoder.conv_in.weight"
        func entry(_ shape: String, _ from: Int, _ to: Int) -> String {
            #"{"\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(from),\#(to)]}}"#
        }
        try refuse(safetensors(entry("[2]", 0, 8)), "c.safetensors", name)
        try refuse(safetensors(entry("[2]", 0, 4), data: 4), "d.safetensors", name)
        try refuse(safetensors(entry("[2]", 8, 0), data: 8), "e.safetensors", name)
        try refuse(safetensors(entry("[-2]", 0, 8), data: 8), "f.safetensors", name)
        let huge = "[4611686018427387904,4611686018427387904]"
        try refuse(safetensors(entry(huge, 0, 8), data: 8), "g.safetensors", name)
        let nested = String(repeating: "[", count: 200_000)
        try refuse(safetensors("{\"a\":\(nested)"), "h.safetensors")
        // A name of a model's tensor, but not the model.
        try refuse(safetensors(entry("[0]", 0, 0)), "i.safetensors", name)
    }

    @Test func hostilePickles() throws {
        let marker = program.folder.file("marker")
        let command = "touch \(marker)"
        var run = ByteBuilder()
        run.add("cos\nsystem\n(X")
        run.little(UInt32(command.utf8.count))
        run.add(command)
        run.add("tR")
        try refuse(pytorch(PickleBuilder.raw(run.bytes)), "a.pth", "os.system")
        try refuse(pytorch(PickleBuilder.raw(Array("cbuiltins\neval\n".utf8))), "b.pth", "eval")
        #expect(!FileManager.default.fileExists(atPath: marker))
        let lying = PickleBuilder.stateDictionary([
            (
                "w",
                .tensor(.init(key: "0", storageCount: 1 << 40, shape: [1 << 40], strides: [1]))
            )
        ])
        try refuse(pytorch(lying), "c.pth", "tensor w")
        let outside = PickleBuilder.stateDictionary([
            ("w", .tensor(.init(key: "0", storageCount: 2, offset: 1, shape: [2], strides: [1])))
        ])
        try refuse(pytorch(outside), "d.pth", "tensor w")
        try refuse(pytorch([]), "e.pth", "e.pth")
    }

    /// Cut anywhere, the real checkpoint is refused, never read past its end.
    @Test func truncatedCheckpoints() throws {
        let names = ["tiny_hmar.pth", "tiny_hmar.safetensors"]
        for name in names {
            let data = try #require(
                FileManager.default.contents(atPath: Fixture.path("hmar/" + name)))
            for part in [0.0001, 0.02, 0.5, 0.99, 0.99999] {
                let cut = data.prefix(Int(Double(data.count) * part))
                let path = try program.folder.write([UInt8](cut), "cut-" + name)
                try program.refuse(["inspect", path], "cut-" + name)
            }
        }
    }

    @Test func incompleteSetsAreRefused() throws {
        let hmar = Fixture.path("hmar/tiny_hmar.pth")
        let store = ["--models", try program.folder.folder("store")]
        try program.refuse(["import", hmar, "--name", "x"] + store, "tokenizer")
        try program.refuse(["import", Self.tokenizer, "--name", "x"] + store, "transformer")
        try program.refuse(["import", hmar, hmar, "--name", "x"] + store, "second")
        try program.refuse(["import", hmar, "--name", "../x"] + store, "--name")
        try program.refuse(["import", hmar], "--name")
    }

    // MARK: Writing that is cut short

    private func encode(_ line: String, prefix: String = "") throws -> Program.Outcome {
        try program.shell(
            """
            \(line) exec \(prefix) $WORKBENCH forward vqvae.encode --weights \(Self.tokenizer) \
            --input \(Fixture.path("hmar/tiny_vae_io.safetensors")) --output out.safetensors \
            --quiet --set patch_nums=[1,2,3,4]
            """)
    }

    /// The system ends the process in the middle of a write, as kill -9 would: the old file stays
    /// whole, and the next write removes what was left.
    @Test func aKilledWriterLeavesTheOldFile() throws {
        let old = [UInt8](repeating: 7, count: 100)
        let path = try program.folder.write(old, "out.safetensors")
        // The signal may have been ignored by whoever started the tests.
        let killed = try encode(
            "ulimit -c 0; ulimit -f 2;", prefix: "env --default-signal=XFSZ")
        #expect(killed.status == -SIGXFSZ, "\(killed)")
        #expect(FileManager.default.contents(atPath: path) == Data(old))
        func partials() throws -> [String] {
            try program.folder.names().filter { $0.hasSuffix(".partial") }
        }
        #expect(try partials().count == 1)
        #expect(try encode("").status == 0)
        #expect(try TensorArchive.open(path: path).records.count == 9)
        #expect(try partials().isEmpty)
    }

    /// A full disk is a refusal, not an end: no partial file is left.
    @Test func aFullDiskLeavesNothing() throws {
        let refused = try encode("trap '' XFSZ; ulimit -f 2;")
        #expect(refused.status == 2 && refused.errors.contains("out.safetensors"), "\(refused)")
        let left = try program.folder.names().filter { !$0.hasPrefix(".out-") }
        #expect(!left.contains { $0.contains("out.safetensors") }, "\(left)")
    }
}

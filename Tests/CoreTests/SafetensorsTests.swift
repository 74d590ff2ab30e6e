// The safetensors reader and writer. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct SafetensorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ header: String, data: Int, length: UInt64? = nil) throws -> String {
        var bytes = ByteBuilder()
        bytes.little(length ?? UInt64(header.utf8.count))
        bytes.add(header)
        bytes.add([UInt8](repeating: 0, count: data))
        return try folder.write(bytes.bytes, "x.safetensors")
    }

    @Test func everyTypeComesBackByteForByte() throws {
        let items = DType.allCases.enumerated().map { i, dtype in
            Safetensors.Item(
                name: "t.\(dtype)", dtype: dtype, shape: [2, 3],
                bytes: (0..<6 * dtype.byteCount).map { UInt8($0 * 5 + i) })
        }
        let path = folder.file("all.safetensors")
        try Safetensors.write(items, metadata: ["b": "two \"words\"\n", "a": "ä"], to: path)
        let archive = try TensorArchive.open(path: path)
        #expect(archive.format == .safetensors)
        #expect(archive.names == items.map(\.name))
        #expect(archive.metadata == ["a": "ä", "b": "two \"words\"\n"])
        for (i, dtype) in DType.allCases.enumerated() {
            let record = try #require(archive["t.\(dtype)"])
            #expect(record.dtype == dtype && record.shape == [2, 3] && record.strides == [3, 1])
            #expect(record.isAligned && record.isContiguous)
            #expect(Array(record.bytes) == (0..<6 * dtype.byteCount).map { UInt8($0 * 5 + i) })
        }
    }

    @Test func emptyTensorsAndScalarsComeBack() throws {
        let path = folder.file("small.safetensors")
        try Safetensors.write(
            [
                .init(name: "scalar", tensor: Tensor(2.5)),
                .init(name: "none", dtype: .float32, shape: [0, 4], bytes: []),
                .init(name: "view", tensor: Tensor([1, 2, 3, 4], shape: [2, 2]).transposed(0, 1)),
            ], to: path)
        let archive = try TensorArchive.open(path: path)
        #expect(archive["scalar"]?.shape == [])
        #expect(archive["none"]?.count == 0)
        #expect(Array(try #require(archive["view"]).bytes) == littleEndianBytes([1, 3, 2, 4]))
    }

    @Test func equalContentGivesEqualBytes() throws {
        for name in ["a", "b"] {
            try Safetensors.write(
                [.init(name: "w", tensor: Tensor([1, 2], shape: [2]))],
                metadata: ["x": "1", "y": "2", "z": "3"], to: folder.file(name))
        }
        #expect(
            try MappedFile(path: folder.file("a")).copy(0..<64)
                == MappedFile(path: folder.file("b")).copy(0..<64))
    }

    @Test func doublesAreKeptApart() throws {
        var bytes = ByteBuilder()
        let header = #"{"u":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}"#
        bytes.little(UInt64(header.utf8.count))
        bytes.add(header)
        for value in [0.25, -3.5] { bytes.little(value.bitPattern) }
        let archive = try TensorArchive.open(path: folder.write(bytes.bytes, "d.safetensors"))
        #expect(archive.records.isEmpty)
        #expect(archive.float64Records.first?.values == [0.25, -3.5])
    }

    @Test func lyingHeadersAreRefused() throws {
        func refuse(_ header: String, data: Int = 8, _ words: String) {
            expectSentence("x.safetensors", words) {
                _ = try Safetensors.open(path: try file(header, data: data))
            }
        }
        let a = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
        refuse(#"{\#(a),"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, "overlap")
        refuse(#"{\#(a),"b":{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}"#, data: 9, "unused")
        refuse(#"{\#(a),"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, data: 7, "needs 8")
        refuse(#"{\#(a)}"#, "after the last tensor")
        refuse(#"{\#(a),\#(a)}"#, "twice")
        refuse(#"{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}"#, "F8_E4M3")
        refuse(#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "needs 12 bytes")
        refuse(#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "impossible")
        refuse(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "impossible")
        refuse(
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
            "impossible")
        refuse(#"{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}"#, "shape is missing")
        refuse(#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, "dtype is missing")
        refuse(#"{"__metadata__":{"n":3}}"#, data: 0, "not a string")
        refuse(#"{"a":"#, data: 0, "ends early")
        refuse(String(repeating: "[", count: 100_000), data: 0, "nested")
        refuse("[]", data: 0, "not a JSON object")
    }

    @Test func lengthsBeyondTheFileAreRefused() throws {
        expectSentence("header", "100000000") {
            _ = try Safetensors.open(path: try file("{}", data: 0, length: 100_000_001))
        }
        expectSentence("header", "claims") {
            _ = try Safetensors.open(path: try file("{}", data: 0, length: .max))
        }
        expectSentence("cut off") {
            _ = try Safetensors.open(path: try file("{}", data: 0, length: 3))
        }
        expectSentence("not those of a checkpoint") {
            _ = try TensorArchive.open(path: try folder.write([1, 2, 3], "y"))
        }
        expectSentence("the file is empty") {
            _ = try TensorArchive.open(path: try folder.write([], "empty"))
        }
        expectSentence("no such file") { _ = try TensorArchive.open(path: folder.file("nowhere")) }
        expectSentence("not a file") { _ = try TensorArchive.open(path: folder.path) }
    }

    @Test func everyCutOfAFileIsRefused() throws {
        let path = folder.file("whole.safetensors")
        try Safetensors.write(
            [.init(name: "w", tensor: Tensor([1, 2, 3], shape: [3]))], to: path)
        let whole = try MappedFile(path: path)
        for length in 0..<whole.byteCount {
            let cut = try folder.write(whole.copy(0..<length), "cut.safetensors")
            #expect(throws: FileFormatError.self) { try TensorArchive.open(path: cut) }
        }
    }
}

// Where points in space come from: toys, molecules, meshes.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A set of classes with samples of each, before any rotation.
///
/// A sample of a class differs from another one by a small non-rotational change: noise, another
/// conformer, other points of the same surface.
public protocol PointSource: Sendable {
    var name: String { get }
    var classes: [String] { get }
    /// Names of the kinds of points; empty when all are alike.
    var kindNames: [String] { get }
    /// What a point of every kind counts for; all alike when nil.
    var weights: [Float]? { get }
    /// The most points of a sample.
    var points: Int { get }
    /// A sample of a class, in the class's own frame.
    ///
    /// - Parameter isHeldOut: from the part that training does not see, where there is one.
    func sample(of label: Int, isHeldOut: Bool, _ generator: inout RandomGenerator) -> PointCloud
    /// Pairs of points that are drawn joined.
    func edges(of label: Int) -> [SIMD2<Int>]
}

extension PointSource {
    public var weights: [Float]? { nil }
    public func edges(of label: Int) -> [SIMD2<Int>] { [] }
}

/// The eight shapes of four unit cubes in space; two of them mirror images.
///
/// Points are told apart by their place in the list (their kind). The straight line has no second
/// axis: its pose about its own axis is not defined.
///
/// Source: the shapes of Thomas et al., "Tensor field networks", arXiv 1802.08219.
public struct TetrisSource: PointSource {
    /// Standard deviation of the noise on every coordinate.
    public var noise: Double
    public let name = "tetris"
    public let classes = ["chiral 1", "chiral 2", "square", "line", "corner", "L", "T", "zigzag"]
    public let kindNames = ["1", "2", "3", "4"]
    public let points = 4

    public init(noise: Double = 0.01) { self.noise = noise }

    private static let shapes: [[SIMD3<Double>]] = [
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(1, 0, 0), SIMD3(1, 1, 0)],
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(1, 0, 0), SIMD3(1, -1, 0)],
        [SIMD3(0, 0, 0), SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(1, 1, 0)],
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(0, 0, 2), SIMD3(0, 0, 3)],
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(0, 1, 0), SIMD3(1, 0, 0)],
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(0, 0, 2), SIMD3(0, 1, 0)],
        [SIMD3(0, 0, 0), SIMD3(0, 0, 1), SIMD3(0, 0, 2), SIMD3(0, 1, 1)],
        [SIMD3(0, 0, 0), SIMD3(1, 0, 0), SIMD3(1, 1, 0), SIMD3(2, 1, 0)],
    ]

    public func sample(
        of label: Int, isHeldOut: Bool, _ generator: inout RandomGenerator
    ) -> PointCloud {
        PointCloud(positions: Self.shapes[label], kinds: [0, 1, 2, 3])
            .disturbed(by: noise, &generator).centred
    }

    /// Cubes that touch.
    public func edges(of label: Int) -> [SIMD2<Int>] {
        let shape = Self.shapes[label]
        return shape.indices.flatMap { i in
            shape.indices.filter { j in
                let d = shape[j] - shape[i]
                return j > i && abs((d * d).sum() - 1) < 1e-9
            }.map { SIMD2(i, $0) }
        }
    }
}

/// Conformers of small molecules, each class one molecule.
///
/// Read from a safetensors file with `Z` U8 [N, n] (0 = no atom), `xyz_angstrom` F32 [N, n, 3] and
/// `molecule` I32 [N]; every sixth conformer (of 24: the last four) is held out.
public struct MoleculeSource: PointSource {
    public let name = "molecules"
    public let classes: [String]
    /// The elements that are known, in the order of the kinds.
    public static let elements = ["H", "C", "N", "O", "F", "S"]
    public var kindNames: [String] { Self.elements }
    /// Rounded atomic masses: hydrogens, which turn about single bonds, move the frame little.
    public let weights: [Float]? = [1, 12, 14, 16, 19, 32]
    public let points: Int
    /// Standard deviation of the noise on every coordinate, in ångström.
    public var noise: Double
    private let conformers: [[PointCloud]]

    private static let atomicNumbers = [1, 6, 7, 8, 9, 16]
    /// Single-bond radii in ångström, in the order of the kinds.
    private static let radii = [0.31, 0.76, 0.71, 0.66, 0.57, 1.05]

    /// - Throws: `FileFormatError`, `DatasetError`.
    public init(path: String, noise: Double = 0.02) throws {
        self.noise = noise
        let archive = try TensorArchive.open(path: path)
        guard let z = archive["Z"], let xyz = archive["xyz_angstrom"],
            let molecule = archive["molecule"], z.shape.count == 2, z.dtype == .uint8,
            xyz.shape == z.shape + [3], molecule.shape == [z.shape[0]]
        else {
            throw FileFormatError.notRecognised(
                path: path, expected: "conformers (tensors Z, xyz_angstrom and molecule)")
        }
        points = z.shape[1]
        let device = CPUDevice.shared
        let types = Tensor(record: z, device: device).int32s()
        let coordinates = Tensor(record: xyz, device: device).floats()
        let owners = Tensor(record: molecule, device: device).int32s()
        let count = Int(owners.max() ?? -1) + 1
        var conformers = [[PointCloud]](repeating: [], count: max(0, count))
        for (row, owner) in owners.enumerated() {
            guard owner >= 0 else { continue }
            var positions: [SIMD3<Double>] = []
            var kinds: [Int] = []
            for i in (row * points)..<((row + 1) * points) where types[i] != 0 {
                guard let kind = Self.atomicNumbers.firstIndex(of: Int(types[i])) else {
                    throw FileFormatError.unsupported(
                        path: path, what: "an atom of number \(types[i])",
                        hint: "H, C, N, O, F and S are known")
                }
                positions.append(
                    SIMD3(
                        Double(coordinates[3 * i]), Double(coordinates[3 * i + 1]),
                        Double(coordinates[3 * i + 2])))
                kinds.append(kind)
            }
            conformers[Int(owner)].append(PointCloud(positions: positions, kinds: kinds))
        }
        guard !conformers.isEmpty, conformers.allSatisfy({ $0.count >= 2 }) else {
            throw FileFormatError.notRecognised(
                path: path, expected: "at least two conformers of every molecule")
        }
        self.conformers = conformers
        let names = archive.metadata["smiles"].flatMap { text in
            try? JSONDecoder().decode([String].self, from: Data(text.utf8))
        }
        classes =
            names.flatMap { $0.count == conformers.count ? $0 : nil }
            ?? conformers.indices.map { "molecule \($0)" }
    }

    /// The file in one of some folders or their `molecules`.
    ///
    /// - Throws: `DatasetError.notFound`.
    public static func locate(in folders: [String]) throws(DatasetError) -> String {
        let name = "conformers.safetensors"
        let places = folders.flatMap { [$0, $0 + "/molecules"] }
        for place in places where FileManager.default.fileExists(atPath: "\(place)/\(name)") {
            return "\(place)/\(name)"
        }
        throw .notFound(name: "the set of molecules", files: [name], places: places)
    }

    public func sample(
        of label: Int, isHeldOut: Bool, _ generator: inout RandomGenerator
    ) -> PointCloud {
        let all = conformers[label]
        let held = max(1, all.count / 6)
        let pick =
            isHeldOut
            ? all.count - held + generator.nextInt(below: held)
            : generator.nextInt(below: all.count - held)
        return all[pick].disturbed(by: noise, &generator).centred
    }

    public func edges(of label: Int) -> [SIMD2<Int>] { Self.bonds(of: conformers[label][0]) }

    /// Pairs of atoms closer than 1.3 times the sum of their radii.
    static func bonds(of molecule: PointCloud) -> [SIMD2<Int>] {
        molecule.positions.indices.flatMap { i in
            molecule.positions.indices.filter { j in
                let d = molecule.positions[j] - molecule.positions[i]
                let reach = radii[molecule.kinds[i]] + radii[molecule.kinds[j]]
                return j > i && (d * d).sum().squareRoot() < 1.3 * reach
            }.map { SIMD2(i, $0) }
        }
    }
}

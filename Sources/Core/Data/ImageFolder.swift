// A folder of pictures with one folder per class.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Pictures in class folders: `<folder>/<class>/<any name>.png` or `.jpg`.
///
/// Classes and files are taken in alphabetical order, so that labels do not depend on the file
/// system. Pictures are read when they are asked for and fitted to a square size.
public struct ImageFolder: Dataset {
    public let name: String
    public let classes: [String]
    /// Side to which pictures are fitted; see ``PictureFit``.
    public let side: Int
    private let files: [(path: String, label: Int)]

    /// Lists a folder.
    ///
    /// - Throws: ``FileFormatError/notFound(path:)``, ``DatasetError/noPictures(folder:)``.
    public init(folder: String, side: Int) throws {
        precondition(side >= 1, "pictures of side \(side)")
        guard FileManager.default.fileExists(atPath: folder) else {
            throw FileFormatError.notFound(path: folder)
        }
        var classes: [String] = []
        var files: [(path: String, label: Int)] = []
        for name in Self.names(in: folder) {
            let pictures = Self.names(in: folder + "/" + name).filter(Self.isPicture)
            if pictures.isEmpty { continue }
            files += pictures.map { ("\(folder)/\(name)/\($0)", classes.count) }
            classes.append(name)
        }
        guard !files.isEmpty else { throw DatasetError.noPictures(folder: folder) }
        name = folder
        self.classes = classes
        self.side = side
        self.files = files
    }

    public var count: Int { files.count }
    public func label(at index: Int) -> Int { files[index].label }
    /// Where a picture lies.
    public func path(at index: Int) -> String { files[index].path }

    public func image(at index: Int) throws -> RGBImage {
        try ImageFile.read(path: files[index].path, side: side).image
    }

    private static func names(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func isPicture(_ name: String) -> Bool {
        let lower = name.lowercased()
        return [".png", ".jpg", ".jpeg"].contains { lower.hasSuffix($0) }
    }
}

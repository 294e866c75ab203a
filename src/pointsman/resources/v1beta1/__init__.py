"""appmesh.k8s.aws/v1beta1: Mesh, VirtualNode and VirtualService of controllers before 1.0.

Each module has the strict schema of one kind and its conversion into v1beta2, so that nothing
beyond decoding knows two shapes. The schema is that of the controller's release 0.5.
"""
